import { line, test } from "./cluster";
import { expect, urlOf } from "./fixtures";

// A recording would hold thousands of lines over and over.
test.use({ trace: "off" });

const INSTANCE = "iris-main-0-classifier-6d4cf56db6-x2x7k";

test("filters and saves lines, and drops the oldest of very many", async ({ page, deployment, cluster }) => {
  const many = Array.from({ length: 5_200 }, (_, index) => line(600, `line ${index} of many`));
  cluster.answerLog = ({ write }) => {
    write(many.join(""));
    return undefined;
  };
  await page.goto(urlOf(deployment, `/instances/${INSTANCE}/log`));
  const log = page.getByRole("log");
  await expect(page.getByText("5,000 lines; 200 older ones were dropped")).toBeVisible();
  await expect(log.getByText("line 5199 of many")).toBeInViewport();

  await page.getByRole("searchbox", { name: "Filter" }).fill("LINE 5199");
  await expect(page.getByText("1 of 5,000 lines")).toBeVisible();
  await expect(log.locator("mark")).toHaveText("line 5199");
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download lines" }).click();
  expect((await saved).suggestedFilename()).toBe(`${INSTANCE}-classifier.log`);

  await page.getByRole("searchbox", { name: "Filter" }).fill("there is none");
  await expect(page.getByText("No line has this text")).toBeVisible();
});
