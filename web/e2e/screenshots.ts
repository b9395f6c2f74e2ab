/**
 * Takes each page, light and dark, at 1280 and 1920 pixels, into the folder `PROVOST_SCREENSHOTS`:
 * to be looked at. Run by `npm run screenshots` against the server at `PROVOST_URL`.
 */
import type { APIRequestContext, Page } from "@playwright/test";
import { Cluster, line } from "./cluster";
import { apply, expect, modelUri, NAMES, pathOf, test, urlOf } from "./fixtures";

const folder = process.env.PROVOST_SCREENSHOTS ?? "test-results/screenshots";
const canaryUri = process.env.PROVOST_E2E_CANARY_URI ?? "examples/iris/xgboost";

const iris = { namespace: "default", name: "iris" };
const broken = { namespace: "default", name: "no-model" };
const sizes = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
];

/** What is done on a page before it is taken. */
type Act = (page: Page) => Promise<void>;

const wait: Act = async (page) => {
  await page.waitForLoadState("load");
};

interface PageToTake {
  name: string;
  path: string;
  act: Act;
  /** Whether it is shown on a cluster only. */
  isOfCluster?: boolean;
}

const pages: PageToTake[] = [
  { name: "deployments", path: "/deployments", act: (page) => shown(page, "grid", "Deployments") },
  {
    name: "deployments-empty",
    path: "/deployments?namespace=empty",
    act: (page) => expect(page.getByText("Nothing is deployed in empty")).toBeVisible(),
  },
  { name: "create", path: "/create", act: (page) => shown(page, "textbox", "Manifest") },
  { name: "create-filled", path: "/create", act: fillForm },
  { name: "deployment", path: urlOf(iris), act: (page) => shown(page, "img", "Latency over time") },
  {
    name: "deployment-cluster",
    path: urlOf(iris),
    act: (page) => shown(page, "img", "CPU over time"),
    isOfCluster: true,
  },
  { name: "instances", path: urlOf(iris, "/instances"), act: showContainers, isOfCluster: true },
  {
    name: "log",
    path: urlOf(iris, "/instances/iris-main-0-classifier-6d4cf56db6-x2x7k/log"),
    act: (page) => expect(page.getByRole("log")).toContainText("serves"),
    isOfCluster: true,
  },
  {
    name: "requests-not-kept",
    path: urlOf(iris, "/requests"),
    act: (page) => expect(page.getByText("Requests are not kept")).toBeVisible(),
    isOfCluster: true,
  },
  { name: "deployment-failed", path: urlOf(broken), act: (page) => shown(page, "table", "Predictors") },
  { name: "add-canary", path: urlOf(broken), act: (page) => press(page, "Add canary") },
  { name: "shift-traffic", path: urlOf(iris), act: (page) => press(page, "Shift traffic") },
  { name: "delete", path: urlOf(iris), act: (page) => press(page, "Delete") },
  { name: "predict", path: urlOf(iris, "/predict"), act: predictOnce },
  { name: "requests", path: urlOf(iris, "/requests"), act: (page) => shown(page, "grid", "Requests") },
  {
    name: "requests-filter-error",
    path: urlOf(iris, `/requests?filter=${encodeURIComponent("sepal > 5")}`),
    act: (page) => expect(page.getByText("there is no column")).toBeVisible(),
  },
  { name: "request", path: urlOf(iris, "/requests"), act: openFirst },
  { name: "manifest", path: urlOf(iris, "/manifest"), act: (page) => shown(page, "textbox", "Manifest") },
  { name: "history", path: urlOf(iris, "/history"), act: (page) => shown(page, "table", "History") },
  {
    name: "not-found",
    path: "/deployments/default/there-is-none",
    act: (page) => expect(page.getByText("Not found")).toBeVisible(),
  },
];

test.describe.configure({ mode: "default" });
test.use({ trace: "off" });

test.beforeAll("makes something to see", async ({ playwright, baseURL }) => {
  test.setTimeout(120_000);
  const request = await playwright.request.newContext({ baseURL });
  if ((await request.get(pathOf(iris))).status() === 404) await apply(request, irisManifest());
  await apply(
    request,
    manifestWith(broken.name, [predictor("default", "SKLEARN_SERVER", "/models/missing")]),
  );
  await makeTraffic(request);
  await request.dispose();
});

test.afterAll(async ({ playwright, baseURL }) => {
  const request = await playwright.request.newContext({ baseURL });
  await request.delete(pathOf(broken));
  await request.dispose();
});

for (const scheme of ["light", "dark"] as const) {
  for (const size of sizes) {
    test.describe(`${scheme} ${size.width}`, () => {
      test.use({ colorScheme: scheme, viewport: size });
      for (const { name, path, act, isOfCluster } of pages) {
        test(name, async ({ page }) => {
          const cluster = isOfCluster ? await aroundOf(page) : undefined;
          await page.goto(path);
          await wait(page);
          await act(page);
          // Charts, fonts and transitions.
          await page.evaluate(() => document.fonts.ready);
          await page.waitForLoadState("networkidle", { timeout: 1500 }).catch(() => undefined);
          await page.screenshot({
            path: `${folder}/${name}-${scheme}-${size.width}.png`,
            // What lies over a page covers the window, not all of the page.
            fullPage: (await page.getByRole("dialog").count()) === 0,
            animations: "disabled",
          });
          cluster?.stop();
        });
      }
    });
  }
}

async function shown(page: Page, role: "grid" | "textbox" | "table" | "img", name: string): Promise<void> {
  await expect(page.getByRole(role, { name })).toBeVisible();
}

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
}

/** A cluster in which the deployment runs. */
async function aroundOf(page: Page): Promise<Cluster> {
  const cluster = new Cluster(["main", "canary"]);
  cluster.answerLog = ({ write }) => {
    for (let second = 120; second > 0; second -= 3) write(line(second, `${second} s ago, and it serves`));
    return undefined;
  };
  await cluster.answerFor(page, iris);
  return cluster;
}

async function showContainers(page: Page): Promise<void> {
  await page
    .getByRole("button", { name: /^Containers of/ })
    .nth(1)
    .click();
  await expect(page.getByRole("table", { name: /^Containers of/ })).toBeVisible();
}

async function fillForm(page: Page): Promise<void> {
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Iris_2");
  await page.getByRole("textbox", { name: "Model URI" }).fill(modelUri);
  await page.getByRole("textbox", { name: "Memory request" }).fill("256Mi");
  await page.getByRole("switch", { name: "Add a canary" }).check();
  await page.getByRole("textbox", { name: "Model URI" }).last().fill(canaryUri);
  await expect(page.getByText("Not valid yet")).toBeVisible();
}

async function predictOnce(page: Page): Promise<void> {
  await expect(page.getByRole("textbox", { name: "Request body" })).toContainText("ndarray");
  await page.getByRole("button", { name: "Predict", exact: true }).click();
  await expect(page.getByRole("textbox", { name: "Response body" })).toContainText("puid");
}

async function openFirst(page: Page): Promise<void> {
  const rows = page.getByRole("grid", { name: "Requests" }).getByRole("row");
  await rows.filter({ hasText: "200" }).first().getByText("200").click();
  await expect(page.getByRole("table", { name: "Features" })).toBeVisible();
}

function predictor(name: string, implementation: string, uri: string, traffic?: number): object {
  return { name, traffic, graph: { name: "classifier", implementation, modelUri: uri } };
}

function manifestWith(name: string, predictors: object[]): object {
  return {
    apiVersion: "machinelearning.seldon.io/v1",
    kind: "SeldonDeployment",
    metadata: { name, namespace: "default" },
    spec: { predictors },
  };
}

function irisManifest(): object {
  return manifestWith("iris", [
    predictor("main", "SKLEARN_SERVER", modelUri, 90),
    predictor("canary", "XGBOOST_SERVER", canaryUri, 10),
  ]);
}

/** Some seconds of predictions, a few of them wrong. */
async function makeTraffic(request: APIRequestContext): Promise<void> {
  const path = `/seldon/${iris.namespace}/${iris.name}/api/v1.0/predictions`;
  const value = (low: number, high: number) => Number((low + Math.random() * (high - low)).toFixed(1));
  const end = Date.now() + 20_000;
  while (Date.now() < end) {
    const flower = [value(4.3, 7.9), value(2, 4.4), value(1, 6.9), value(0.1, 2.5)];
    const instance = Math.random() < 0.03 ? flower.slice(1) : flower;
    await request.post(path, { data: { data: { names: NAMES, ndarray: [instance] } } });
  }
}
