import type { Page } from "@playwright/test";
import { type Cluster, line, test } from "./cluster";
import { type Deployment, expect, urlOf } from "./fixtures";

const LIVE = "iris-main-0-classifier-6d4cf56db6-x2x7k";
const CRASHING = "iris-main-0-classifier-6d4cf56db6-zq9vd";

const lines = (page: Page) => page.getByRole("log");
const status = (page: Page) => page.getByRole("region", { name: /^Log of/ }).getByRole("status");

async function openLog(page: Page, deployment: Deployment, instance = LIVE, search = ""): Promise<void> {
  await page.goto(urlOf(deployment, `/instances/${instance}/log${search}`));
  await expect(page.getByRole("region", { name: `Log of ${instance}` })).toBeVisible();
}

/** Has every request for a log answered by these lines. */
function writeFirst(cluster: Cluster, ...texts: string[]): void {
  cluster.answerLog = ({ write }) => {
    write(texts.join(""));
    return undefined;
  };
}

test("is not there where a deployment has no instances", async ({ page, deployment }) => {
  await page.goto(urlOf(deployment));
  const pages = page.getByRole("navigation", { name: `Pages of ${deployment.name}` });
  await expect(pages.getByRole("link", { name: "Requests" })).toBeVisible();
  await expect(pages.getByRole("link", { name: "Instances" })).toHaveCount(0);
  await expect(page.getByRole("region", { name: "Request rate" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Usage" })).toHaveCount(0);
  await page.goto(urlOf(deployment, "/instances"));
  await expect(page.getByText("There is no such page")).toBeVisible();
});

test("shows the instances of a deployment, and what happened to them", async ({
  page,
  deployment,
  cluster,
}) => {
  await page.goto(urlOf(deployment));
  await page
    .getByRole("navigation", { name: `Pages of ${deployment.name}` })
    .getByRole("link", { name: "Instances" })
    .click();
  await expect(page).toHaveTitle(`Instances · ${deployment.name} · Provost`);
  const table = page.getByRole("table", { name: "Instances" });
  await expect(page.getByText("1 of 5 ready")).toBeVisible();
  await expect(table.getByRole("row").filter({ hasText: LIVE })).toContainText("Ready");
  await expect(table).toContainText("CrashLoopBackOff");

  await page.getByRole("button", { name: `Containers of ${CRASHING}` }).click();
  const containers = page.getByRole("table", { name: `Containers of ${CRASHING}` });
  await expect(containers.getByRole("row").filter({ hasText: "classifier-model-initializer" })).toContainText(
    "Done",
  );
  await expect(containers.getByRole("link", { name: "Previous log of classifier" })).toBeVisible();

  const events = page.getByRole("table", { name: "Events" }).getByRole("row");
  await expect(events.nth(1)).toContainText("BackOff");
  await expect(events.nth(1).getByRole("img", { name: "Warning" })).toBeVisible();
  await expect(events.nth(3).getByRole("img", { name: "Warning" })).toHaveCount(0);

  cluster.instances = [];
  cluster.events = [];
  await expect(page.getByText("No instances", { exact: true })).toBeVisible();
  await expect(page.getByText("No events", { exact: true })).toBeVisible();
});

test("shows what the instances use beside the traffic", async ({ page, deployment, cluster }) => {
  await page.goto(urlOf(deployment));
  const usage = page.getByRole("region", { name: "Usage" });
  await expect(usage.getByRole("img", { name: "CPU over time" })).toBeVisible();
  await expect(usage.getByRole("region", { name: "Memory" })).toContainText("MiB");
  for (const predictor of cluster.predictors) {
    await expect(usage.getByRole("region", { name: "CPU" })).toContainText(predictor);
  }
  await usage.getByRole("button", { name: "Show Instances as a table" }).click();
  const table = usage.getByRole("region", { name: "Instances as a table" });
  await expect(table.getByRole("columnheader", { name: "default ready" })).toBeVisible();
});

test("follows a log, pauses, and reads on without a line twice", async ({ page, deployment, cluster }) => {
  const before = [line(9, "loading the model"), line(8, "\u001b[32mINFO\u001b[0m serving on port 9000")];
  writeFirst(cluster, ...before);
  await page.goto(urlOf(deployment, "/instances"));
  await page.getByRole("link", { name: `Log of ${LIVE}` }).click();
  await expect(page).toHaveURL(/container=classifier$/);
  await expect(page).toHaveTitle(`Log · ${deployment.name} · Provost`);
  await expect(lines(page)).toContainText("INFO serving on port 9000");
  await expect(status(page)).toContainText("Live");

  cluster.logRequests[0]?.write(line(2, "größer").slice(0, -3));
  cluster.logRequests[0]?.write("r\n");
  await expect(lines(page)).toContainText("größ");

  await page.getByRole("button", { name: "Pause" }).click();
  await expect(status(page)).toContainText("Paused");
  const missed = line(1, "while it was paused");
  writeFirst(cluster, ...before, missed);
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(lines(page).getByText("while it was paused")).toBeVisible();
  await expect(lines(page).getByText("loading the model")).toHaveCount(1);
  expect(Number(cluster.logRequests[1]?.parameters.get("sinceSeconds"))).toBeGreaterThan(8);
});

test("comes back when the stream is lost, and says when the instance is gone", async ({
  page,
  deployment,
  cluster,
}) => {
  const first = line(9, "one");
  writeFirst(cluster, first);
  await openLog(page, deployment);
  await expect(lines(page)).toContainText("one");
  writeFirst(cluster, first, line(1, "two"));
  cluster.logRequests[0]?.lose();
  await expect(lines(page)).toContainText("two");
  await expect(lines(page).locator("time")).toHaveCount(2);

  cluster.answerLog = () => ({ status: 404, detail: "there is no instance of this name" });
  cluster.instances = cluster.instances.filter(({ name }) => name !== LIVE);
  cluster.logRequests[1]?.end();
  await expect(status(page)).toContainText("Gone");
  await expect(lines(page)).toContainText("two");
  await page.reload();
  await expect(page.getByText("This instance is gone")).toBeVisible();
});

test("says why a container ended, and shows the log of the one before", async ({
  page,
  deployment,
  cluster,
}) => {
  cluster.answerLog = ({ parameters, write, end }) => {
    const isPrevious = parameters.get("previous") === "true";
    write(line(30, isPrevious ? "the one before" : "ValueError: not a pickle"));
    end();
    return undefined;
  };
  await openLog(page, deployment, CRASHING);
  await expect(lines(page)).toContainText("ValueError: not a pickle");
  await expect(status(page)).toContainText("The container ended: CrashLoopBackOff");
  await page.getByRole("button", { name: "Previous" }).click();
  await expect(page).toHaveURL(/previous=on/);
  await expect(lines(page)).toContainText("the one before");
  await expect(page.getByRole("button", { name: "Pause" })).toBeDisabled();

  await page.getByRole("combobox", { name: "Container" }).click();
  await page.getByRole("option", { name: "classifier-model-initializer" }).click();
  await expect(status(page)).toContainText("The container did its work.");

  cluster.answerLog = () => ({ status: 400, detail: "container `classifier` waits to start" });
  await openLog(page, deployment, CRASHING, "?container=classifier");
  await expect(page.getByText("No log yet")).toBeVisible();
});

test("keeps the last line in sight until the reader scrolls up", async ({ page, deployment, cluster }) => {
  const many = Array.from({ length: 300 }, (_, index) => line(300 - index, `line ${index} of many`));
  writeFirst(cluster, ...many);
  await openLog(page, deployment);
  await expect(lines(page).getByText("line 299 of many")).toBeInViewport();
  const jump = page.getByRole("button", { name: "Jump to latest" });
  await expect(jump).toHaveCount(0);

  await lines(page).focus();
  await page.keyboard.press("PageUp");
  await expect(jump).toBeVisible();
  cluster.logRequests[0]?.write(line(0, "the newest line"));
  await expect(lines(page).getByText("the newest line")).toBeAttached();
  await expect(lines(page).getByText("the newest line")).not.toBeInViewport();
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(status(page)).toContainText("Paused");
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(status(page)).toContainText("Live");
  await expect(lines(page).getByText("the newest line")).not.toBeInViewport();
  await jump.click();
  await expect(lines(page).getByText("the newest line")).toBeInViewport();
  cluster.logRequests[1]?.write(line(0, "and one more"));
  await expect(lines(page).getByText("and one more")).toBeInViewport();
});

test("goes from the log of one instance to that of another, by keyboard", async ({
  page,
  deployment,
  cluster,
}) => {
  writeFirst(cluster, line(5, "serving"));
  await openLog(page, deployment);
  await page.getByRole("button", { name: "Wrap long lines" }).press("Space");
  await page.getByRole("combobox", { name: "Instance" }).press("Enter");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: `Log of ${CRASHING}` })).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`${CRASHING}/log\\?container=classifier$`));
  await expect(page.getByRole("button", { name: "Wrap long lines" })).toHaveAttribute("aria-pressed", "true");
  await expect.poll(() => cluster.logRequests[0]?.isClosed()).toBe(true);
  expect(cluster.logRequests[1]?.isClosed()).toBe(false);
});

test("says what a cluster lacks to keep requests", async ({ page, deployment, cluster }) => {
  cluster.hasRequestLog = false;
  await page.goto(urlOf(deployment, "/requests"));
  await expect(page.getByText("Requests are not kept")).toBeVisible();
  await expect(page.getByRole("grid")).toHaveCount(0);
});
