/** What the tests start from: a real server, and a deployment on it where one is asked for. */
import { type APIRequestContext, test as base, expect } from "@playwright/test";

/** A scikit-learn model of the iris data, on the server's disk. */
export const modelUri = process.env.PROVOST_E2E_MODEL_URI ?? "examples/iris/sklearn";

export interface Deployment {
  namespace: string;
  name: string;
}

interface Fixtures {
  /** A name that no other test uses; its deployment is deleted afterwards. */
  name: string;
  /** An available deployment of the model. */
  deployment: Deployment;
}

const NAMESPACE = "default";

export const test = base.extend<Fixtures>({
  page: async ({ page }, use) => {
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      // The browser notes each answer of 400 and more; those of 500 and more are checked below.
      const isNote = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !isNote) faults.push(`console: ${message.text()}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 500) faults.push(`${response.status()} ${response.url()}`);
    });
    await use(page);
    expect(faults, "errors in the browser's console").toEqual([]);
  },

  name: async ({ request }, use, { testId, retry }) => {
    const name = `e2e-${testId.slice(-8)}-${retry}-${Date.now().toString(36)}`;
    await use(name);
    await request.delete(pathOf({ namespace: NAMESPACE, name }));
  },

  deployment: async ({ request, name }, use) => {
    const deployment = { namespace: NAMESPACE, name };
    await apply(request, manifestOf(deployment));
    await waitUntilAvailable(request, deployment);
    await use(deployment);
  },
});

export { expect };

export function pathOf({ namespace, name }: Deployment): string {
  return `/api/v1/namespaces/${namespace}/deployments/${name}`;
}

/** The deployment's pages in the console. */
export function urlOf({ namespace, name }: Deployment, page = ""): string {
  return `/deployments/${namespace}/${name}${page}`;
}

export function manifestOf({ namespace, name }: Deployment): object {
  return {
    apiVersion: "machinelearning.seldon.io/v1",
    kind: "SeldonDeployment",
    metadata: { name, namespace },
    spec: {
      predictors: [{ name: "default", graph: { name: "model", implementation: "SKLEARN_SERVER", modelUri } }],
    },
  };
}

export async function apply(request: APIRequestContext, manifest: object): Promise<void> {
  const answer = await request.post("/api/v1/apply", { data: manifest });
  expect(answer.status(), await answer.text()).toBe(200);
}

async function waitUntilAvailable(request: APIRequestContext, deployment: Deployment): Promise<void> {
  await expect
    .poll(async () => (await (await request.get(pathOf(deployment))).json()).state, { timeout: 20_000 })
    .toBe("Available");
}

export const NAMES = ["Sepal length", "Sepal width", "Petal length", "Petal Width"];

/** Makes a prediction outside of the browser; gives the request's id. */
export async function predict(
  request: APIRequestContext,
  { namespace, name }: Deployment,
  instances: number[][],
): Promise<string> {
  const answer = await request.post(`/seldon/${namespace}/${name}/api/v1.0/predictions`, {
    data: { data: { names: NAMES, ndarray: instances } },
  });
  return answer.headers()["seldon-puid"] ?? "";
}
