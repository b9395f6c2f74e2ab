import { expect, predict, test, urlOf } from "./fixtures";

test.beforeEach(async ({ request, deployment }) => {
  await predict(request, deployment, [[5.1, 3.5, 1.4, 0.2]]);
  await predict(request, deployment, [
    [6.8, 2.8, 4.8, 1.4],
    [6.1, 3.4, 4.5, 1.6],
  ]);
  await predict(request, deployment, [[1, 2, 3]]);
});

test("filters by what is typed and by what is clicked", async ({ page, deployment }) => {
  await page.goto(urlOf(deployment, "/requests"));
  const log = page.getByRole("grid", { name: "Requests" });
  const rows = log.getByRole("row").filter({ hasText: /\d{4}-\d\d-\d\d/ });
  await expect(rows).toHaveCount(4);

  const filter = page.getByRole("textbox", { name: "Filter" });
  await filter.fill('"x.Sepal length" > 6');
  await filter.press("Enter");
  await expect(rows).toHaveCount(2);
  await expect(page).toHaveURL(/filter=/);

  await rows.filter({ hasText: "6.1" }).hover();
  await rows
    .filter({ hasText: "6.1" })
    .getByRole("button", { name: 'Filter by "x.Sepal width" = 3.4' })
    .click();
  await expect(filter).toHaveValue('"x.Sepal length" > 6 AND "x.Sepal width" = 3.4');
  await expect(rows).toHaveCount(1);

  await page.goBack();
  await expect(rows).toHaveCount(2);
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await expect(rows).toHaveCount(4);
});

test("tells what came of a request, and shows it beside what was answered", async ({ page, deployment }) => {
  await page.goto(urlOf(deployment, "/requests"));
  const log = page.getByRole("grid", { name: "Requests" });
  await log.getByRole("row").filter({ hasText: "5.1" }).click();
  const form = page.getByRole("form", { name: "Tell what came of it" });
  await form.getByRole("button", { name: "Send" }).click();
  await expect(form.getByText("Tell what it should have been")).toBeVisible();
  await form.getByRole("textbox", { name: "Truth" }).fill("setosa");
  await form.getByRole("textbox", { name: "Reward" }).fill("0.75");
  await form.getByRole("textbox", { name: "Reward" }).press("Enter");
  await expect(page.getByRole("table", { name: "Feedback" }).getByText("setosa")).toBeVisible();
  await page.getByRole("button", { name: "Close" }).first().click();
  await expect(log.getByRole("row").filter({ hasText: "5.1" })).toContainText("0.75");
});

test("says what is wrong with a filter, at the filter", async ({ page, deployment }) => {
  await page.goto(urlOf(deployment, "/requests"));
  const filter = page.getByRole("textbox", { name: "Filter" });
  await filter.fill("status = 200 AND");
  await filter.press("Enter");
  await expect(page.getByText("expected the name of a column")).toBeVisible();
  await filter.fill("sepal > 1");
  await filter.press("Enter");
  await expect(page.getByText("there is no column")).toBeVisible();
});

test("goes through pages and keeps all of it in the URL", async ({ page, request, deployment }) => {
  for (let index = 0; index < 30; index++) await predict(request, deployment, [[index / 10, 3, 4, 1]]);
  await page.goto(urlOf(deployment, "/requests?limit=25"));
  const rows = page.getByRole("grid", { name: "Requests" }).getByRole("row");
  await expect(rows.filter({ hasText: "200" }).first()).toContainText("2.9");
  await page.getByRole("button", { name: "Older" }).click();
  await expect(rows.filter({ hasText: "200" }).first()).toContainText("0.4");
  await page.reload();
  await expect(rows.filter({ hasText: "200" }).first()).toContainText("0.4");
  await page.getByRole("button", { name: "Newer" }).click();
  await expect(rows.filter({ hasText: "200" }).first()).toContainText("2.9");
});

test("shows and hides columns", async ({ page, deployment }) => {
  await page.goto(urlOf(deployment, "/requests"));
  const log = page.getByRole("grid", { name: "Requests" });
  await expect(log.getByRole("columnheader", { name: "Request id" })).toHaveCount(0);
  await page.getByRole("button", { name: /^Columns/ }).click();
  await page.getByRole("checkbox", { name: "Request id" }).check();
  await page.getByRole("checkbox", { name: "Petal Width" }).uncheck();
  await page.keyboard.press("Escape");
  await expect(log.getByRole("columnheader", { name: "Request id" })).toBeVisible();
  await expect(log.getByRole("columnheader", { name: "Petal Width" })).toHaveCount(0);
  await expect(page).toHaveURL(/show=request_id/);
});

test("shows new requests as they come", async ({ page, request, deployment }) => {
  await page.goto(urlOf(deployment, "/requests"));
  const rows = page
    .getByRole("grid", { name: "Requests" })
    .getByRole("row")
    .filter({ hasText: /\d{4}-/ });
  await expect(rows).toHaveCount(4);
  await page.getByRole("button", { name: "Live" }).click();
  await predict(request, deployment, [[7.7, 3, 4, 1]]);
  await expect(rows.first()).toContainText("7.7");
});
