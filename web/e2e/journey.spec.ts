import { expect, modelUri, test, urlOf } from "./fixtures";

test("deploys a model, predicts with it and finds the request in the log", async ({ page, name }) => {
  await page.goto("/deployments");
  await page.getByRole("link", { name: "Create deployment" }).first().click();
  await expect(page).toHaveTitle("Create deployment · Provost");

  await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await page.getByRole("textbox", { name: "Model URI" }).fill(modelUri);
  const manifest = page.getByRole("textbox", { name: "Manifest" });
  await expect(manifest).toContainText(`name: ${name}`);
  await expect(manifest).toContainText(`modelUri: ${modelUri}`);
  await expect(page.getByText("Valid: it can be created.")).toBeVisible();
  await page.getByRole("textbox", { name: "Comment" }).fill("the first of its kind");
  await page.getByRole("button", { name: "Create deployment" }).click();

  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.getByRole("main").getByText("Available").first()).toBeVisible();
  await expect(page.getByRole("table", { name: "Predictors" })).toContainText(modelUri);

  await page
    .getByRole("navigation", { name: `Pages of ${name}` })
    .getByRole("link", { name: "Predict" })
    .click();
  await expect(page.getByRole("textbox", { name: "Request body" })).toContainText("Sepal length");
  await page.getByRole("button", { name: "Predict", exact: true }).click();
  await expect(page.getByText("200 OK")).toBeVisible();
  const predictions = page.getByRole("region", { name: "Predictions" });
  await expect(predictions.getByRole("row")).toHaveCount(3);
  await expect(predictions).toContainText("t:2");

  await page.getByRole("link", { name: "Find in request log" }).click();
  const log = page.getByRole("grid", { name: "Requests" });
  await expect(log.getByRole("row").filter({ hasText: "200" })).toHaveCount(2);
  await expect(log).toContainText("Sepal length");
  await log.getByRole("row").filter({ hasText: "6.8" }).getByText("6.8").click();
  const detail = page.getByRole("dialog", { name: "Request" });
  await expect(detail.getByRole("table", { name: "Features" })).toContainText("6.8");
  await expect(detail).toContainText("Instance 0 of 2");

  await detail.getByRole("link", { name: "Predict again" }).click();
  const body = page.getByRole("textbox", { name: "Request body" });
  await expect(body).toContainText("[6.8, 2.8, 4.8, 1.4]");
  await expect(body).not.toContainText("6.1");
});

test("shows a failed request with what is wrong, and pins a predictor", async ({ page, deployment }) => {
  await page.goto(urlOf(deployment, "/predict"));
  const body = page.getByRole("textbox", { name: "Request body" });
  await body.fill('{"data": {"ndarray": [[1, 2]]}}');
  await page.getByRole("combobox", { name: "Predictor" }).click();
  await page.getByRole("option", { name: "default (100 %)" }).click();
  await expect(page).toHaveURL(/predictor=default/);
  await body.press("Control+Enter");
  await expect(page.getByText("400 Bad Request")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Response body" })).toContainText(
    "the model takes 4 features",
  );

  await page.getByRole("button", { name: "curl" }).click();
  const command = page.getByRole("dialog").getByRole("region", { name: "curl command" });
  await expect(command).toContainText("-H 'provost-predictor: default'");
  await expect(command).toContainText(`-d '{"data":{"ndarray":[[1,2]]}}'`);
});

test("deletes a deployment only by its name", async ({ page, deployment }) => {
  await page.goto(urlOf(deployment));
  await page.getByRole("button", { name: "Delete" }).click();
  const confirm = page.getByRole("button", { name: "Delete deployment" });
  await expect(confirm).toBeDisabled();
  await page.getByRole("textbox", { name: `Type ${deployment.name} to confirm` }).fill(deployment.name);
  await confirm.click();
  await expect(page).toHaveURL(/\/deployments\?namespace=default/);
  await expect(page.getByText(`Deleted default/${deployment.name}.`)).toBeVisible();
  await expect(page.getByRole("link", { name: deployment.name, exact: true })).toHaveCount(0);
});
