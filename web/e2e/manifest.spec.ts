import { expect, modelUri, test, urlOf } from "./fixtures";

test("puts what the server finds wrong at the field it is about", async ({ page, name }) => {
  await page.goto("/create");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Not_A_Name");
  await page.getByRole("textbox", { name: "Model URI" }).fill(modelUri);
  await expect(page.getByText(/Not valid yet/)).toBeVisible();
  await expect(page.getByRole("alert").filter({ hasText: "is not a valid name" })).toBeVisible();

  await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await expect(page.getByText("Valid: it can be created.")).toBeVisible();
  await page.getByRole("combobox", { name: "Model server" }).click();
  await expect(page.getByRole("option", { name: /^TRITON_SERVER/ })).toBeDisabled();
});

test("asks for what is missing before it creates anything", async ({ page }) => {
  await page.goto("/create");
  await page.getByRole("button", { name: "Create deployment" }).click();
  await expect(page.getByText("Give the deployment a name.")).toBeVisible();
  await expect(page.getByText("Say where the model's files are.", { exact: true })).toBeVisible();
  await expect(page).toHaveURL(/\/create$/);
});

test("lets the manifest be written by hand", async ({ page, name }) => {
  await page.goto("/create");
  await page.getByRole("switch", { name: "Edit" }).check();
  const manifest = page.getByRole("textbox", { name: "Manifest" });
  await manifest.fill(
    [
      "apiVersion: machinelearning.seldon.io/v1",
      "kind: SeldonDeployment",
      "metadata:",
      `  name: ${name}`,
      "spec:",
      "  predictors:",
      "  - name: blue",
      "    replicas: 3",
      `    graph: {name: iris, implementation: SKLEARN_SERVER, modelUri: "${modelUri}"}`,
    ].join("\n"),
  );
  await expect(page.getByText("The manifest says more than this form can show.")).toBeVisible();
  await expect(page.getByText("1 field will have no effect here.")).toBeVisible();
  await page.getByRole("button", { name: "Create deployment" }).click();
  await expect(page.getByRole("table", { name: "Predictors" })).toContainText("blue");
  await expect(page.getByRole("region", { name: "Warnings" })).toContainText("spec.predictors[0].replicas");
});

test("shows what an update changes before it is applied, and keeps its history", async ({
  page,
  deployment,
}) => {
  await page.goto(urlOf(deployment, "/manifest"));
  const manifest = page.getByRole("textbox", { name: "Manifest" });
  await expect(manifest).toContainText("SKLEARN_SERVER");
  const written = (text: string) =>
    [
      "apiVersion: machinelearning.seldon.io/v1",
      "kind: SeldonDeployment",
      `metadata: {name: ${deployment.name}, namespace: default, labels: {team: iris}}`,
      "spec:",
      "  predictors:",
      "  - name: default",
      `    graph: {name: model, implementation: ${text}, modelUri: "${modelUri}"}`,
    ].join("\n");

  await manifest.fill(written("NO_SERVER"));
  await expect(page.getByText(/spec\.predictors\[0\]\.graph\.implementation/).first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Review and apply…" })).toBeDisabled();

  await manifest.fill(written("SKLEARN_SERVER"));
  await expect(page.getByText("Valid: it updates what is there.")).toBeVisible();
  await page.getByRole("button", { name: "Review and apply…" }).click();
  await expect(page.getByRole("textbox", { name: "Changes" })).toContainText("team: iris");
  await page.getByRole("textbox", { name: "Comment" }).fill("say whose it is");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText("generation 2", { exact: false }).first()).toBeVisible();

  await page
    .getByRole("navigation", { name: /^Pages of/ })
    .getByRole("link", { name: "History" })
    .click();
  const history = page.getByRole("table", { name: "History" });
  await expect(history).toContainText("say whose it is");
  await page.getByRole("link", { name: "Edit generation 1" }).click();
  await expect(page.getByText("This is the manifest of generation 1.")).toBeVisible();
});

test("adds a canary, shifts its traffic, promotes it and rolls back", async ({ page, deployment }) => {
  await page.goto(urlOf(deployment));
  await page.getByRole("button", { name: "Add canary" }).click();
  await page.getByRole("textbox", { name: "Model URI" }).fill(modelUri);
  await page.getByRole("button", { name: "Review…" }).click();
  await expect(page.getByRole("textbox", { name: "Changes" })).toContainText("name: canary");
  await page.getByRole("textbox", { name: "Comment" }).fill("try it");
  await page.getByRole("button", { name: "Apply" }).click();
  const predictors = page.getByRole("table", { name: "Predictors" });
  await expect(predictors.getByRole("row").filter({ hasText: "canary" })).toContainText("10 %");

  await page.getByRole("button", { name: "Shift traffic" }).click();
  await page.getByRole("spinbutton", { name: "Percent for canary" }).fill("60");
  await page.getByRole("button", { name: "Review…" }).click();
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(predictors.getByRole("row").filter({ hasText: "canary" })).toContainText("60 %");

  await page.getByRole("button", { name: "Traffic", exact: true }).click();
  await page.getByRole("menuitem", { name: "Add another canary…" }).click();
  await page.getByRole("textbox", { name: "Model URI" }).fill(modelUri);
  await page.getByRole("button", { name: "Review…" }).click();
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(predictors.getByRole("row").filter({ hasText: "default" })).toContainText("30 %");
  await page.getByRole("button", { name: "Traffic", exact: true }).click();
  await page.getByRole("menuitem", { name: "Remove canary-2" }).click();
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(predictors.getByRole("row").filter({ hasText: "default" })).toContainText("40 %");

  await page.getByRole("button", { name: "Traffic", exact: true }).click();
  await page.getByRole("menuitem", { name: /^Promote canary/ }).click();
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(predictors.getByRole("row").filter({ hasText: "default" })).toHaveCount(0);
  await expect(predictors.getByRole("row").filter({ hasText: "canary" })).toContainText("100 %");

  await page
    .getByRole("navigation", { name: /^Pages of/ })
    .getByRole("link", { name: "History" })
    .click();
  await expect(page.getByRole("table", { name: "History" })).toContainText("try it");
  await page.getByRole("button", { name: "Roll back to generation 2" }).click();
  await expect(page.getByRole("dialog")).toContainText("generation 6 becomes 7");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(predictors.getByRole("row").filter({ hasText: "default" })).toContainText("90 %");

  await page.getByRole("button", { name: "Traffic", exact: true }).click();
  await page.getByRole("menuitem", { name: "Remove canary", exact: true }).click();
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(predictors.getByRole("row").filter({ hasText: "default" })).toContainText("100 %");
});

test("adds a shadow, promotes it, and shows which it is", async ({ page, deployment }) => {
  await page.goto(urlOf(deployment));
  await page.getByRole("button", { name: "Traffic", exact: true }).click();
  await page.getByRole("menuitem", { name: /^Add a shadow/ }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Model URI" }).fill(modelUri);
  await page.getByRole("button", { name: "Review…" }).click();
  await page.getByRole("button", { name: "Apply" }).click();
  const predictors = page.getByRole("table", { name: "Predictors" });
  await expect(predictors.getByRole("row").filter({ hasText: "shadow" })).toContainText("Available");
  await page.getByRole("button", { name: "Traffic", exact: true }).click();
  await page.getByRole("menuitem", { name: /^Promote shadow/ }).click();
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(predictors.getByRole("row").filter({ hasText: "shadow" })).toContainText("100 %");
});
