import type { Locator } from "@playwright/test";
import { expect, predict, test, urlOf } from "./fixtures";

test("switches between light and dark, and remembers", async ({ page }) => {
  await page.goto("/deployments");
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByRole("button", { name: "Theme" }).click();
  await page.getByRole("menuitemradio", { name: "Dark" }).click();
  await expect.poll(background).not.toBe(light);
  const dark = await background();
  await page.reload();
  await expect.poll(background).toBe(dark);
});

test("follows the system until it is told otherwise", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto("/deployments");
  const scheme = () => page.evaluate(() => document.documentElement.dataset.colorScheme);
  await expect.poll(scheme).toBe("dark");
  await page.emulateMedia({ colorScheme: "light" });
  await expect.poll(scheme).toBe("light");
});

test("can be used by keyboard from the list to the details of a request", async ({
  page,
  request,
  deployment,
}) => {
  await predict(request, deployment, [[5.1, 3.5, 1.4, 0.2]]);
  await page.goto(`/deployments?search=${deployment.name}`);
  await expect(page.getByRole("link", { name: deployment.name, exact: true })).toBeVisible();
  const press = async (key: string, times = 1) => {
    for (let index = 0; index < times; index++) await page.keyboard.press(key);
  };
  const tabTo = async (target: Locator) => {
    const isFocused = () => target.evaluate((element) => element === document.activeElement);
    for (let presses = 0; presses < 30 && !(await isFocused()); presses++) await press("Tab");
    await expect(target).toBeFocused();
  };
  await press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await press("Enter");
  await press("Tab");
  await expect(page.getByRole("link", { name: "Create deployment" })).toBeFocused();
  const list = page.getByRole("grid", { name: "Deployments" });
  await tabTo(list.getByRole("columnheader", { name: /^Name\b/ }));
  await press("ArrowDown");
  await press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: deployment.name })).toBeVisible();

  await press("Tab");
  await tabTo(page.getByRole("link", { name: "Requests", exact: true }));
  await press("Enter");
  const grid = page.getByRole("grid", { name: "Requests" });
  await expect(grid.getByRole("row").filter({ hasText: "5.1" })).toBeVisible();
  await tabTo(page.getByRole("button", { name: /^Columns/ }));
  await press("Tab");
  await press("ArrowDown", 2);
  await press("Enter");
  await expect(page.getByRole("dialog", { name: "Request" })).toBeVisible();
  await press("Escape");
  await expect(page.getByRole("dialog", { name: "Request" })).toBeHidden();
});

test("titles its pages, and says where nothing is", async ({ page, deployment }) => {
  const titles = [
    ["", deployment.name],
    ["/predict", `Predict · ${deployment.name}`],
    ["/requests", `Requests · ${deployment.name}`],
    ["/manifest", `Manifest · ${deployment.name}`],
    ["/history", `History · ${deployment.name}`],
  ] as const;
  for (const [path, title] of titles) {
    await page.goto(urlOf(deployment, path));
    await expect(page).toHaveTitle(`${title} · Provost`);
  }
  await page.goto("/deployments/default/there-is-no-such");
  await expect(page.getByRole("alert")).toContainText("There is no deployment there-is-no-such");
  await page.goto("/no/such/page");
  await expect(page.getByText("There is no such page")).toBeVisible();
});

test("says when the server cannot be reached, and comes back", async ({ page, context, deployment }) => {
  await page.goto(urlOf(deployment));
  await expect(page.getByRole("table", { name: "Predictors" })).toBeVisible();
  await context.setOffline(true);
  await expect(page.getByText("The server cannot be reached.")).toBeVisible();
  await expect(page.getByRole("table", { name: "Predictors" })).toBeVisible();
  await context.setOffline(false);
  await expect(page.getByText("The server cannot be reached.")).toBeHidden();
  await expect(page.getByText("Connected again.")).toBeVisible();
});

test("narrows the list by namespace, state and search", async ({ page, deployment }) => {
  await page.goto("/deployments");
  await page.getByRole("searchbox", { name: "Search" }).fill(deployment.name.toUpperCase());
  const grid = page.getByRole("grid", { name: "Deployments" });
  await expect(grid.getByRole("link", { name: deployment.name, exact: true })).toHaveCount(1);
  await expect(grid.getByRole("row")).toHaveCount(2);
  await expect(page).toHaveURL(/search=/);
  await page.getByRole("button", { name: "Failed" }).click();
  await expect(page.getByText("No deployment matches")).toBeVisible();
  await page.getByRole("button", { name: "Clear state and search" }).click();
  await page.getByRole("combobox", { name: "Namespace" }).click();
  await page.getByRole("option", { name: "default" }).click();
  await expect(page).toHaveURL(/namespace=default/);
  await expect(grid.getByRole("columnheader", { name: "Namespace" })).toHaveCount(0);
});
