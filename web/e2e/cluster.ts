/**
 * What a cluster's control plane tells of instances, in front of a server that has none: no cluster is needed to
 * look at the console. Everything else is the server's own.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page, Route } from "@playwright/test";
import type { components } from "../src/api/generated/schema";
import { test as base, type Deployment, pathOf } from "./fixtures";

type Schemas = components["schemas"];
export type Instance = Schemas["InstanceSummary"];

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();
const container = (name: string, rest: Partial<Schemas["ContainerSummary"]> = {}) => ({
  name,
  image: "provost:0.1.0",
  initial: false,
  ready: true,
  restarts: 0,
  ...rest,
});
const PREDICTORS = ["default", "canary"];
const fetcher = container("classifier-model-initializer", { initial: true, image: "rclone-storage:1.17.1" });

/** Instances as during an update that does not go well. */
export function someInstances([main, canary] = PREDICTORS): Instance[] {
  const full =
    "container `classifier`: CrashLoopBackOff: back-off 40s restarting failed container=classifier";
  return [
    {
      name: "iris-main-0-classifier-6d4cf56db6-x2x7k",
      predictor: main,
      state: "Ready",
      node: "worker-1.eu-west.compute.internal",
      created: ago(3 * 3600),
      restarts: 1,
      containers: [fetcher, container("classifier", { restarts: 1 })],
    },
    {
      name: "iris-main-0-classifier-6d4cf56db6-zq9vd",
      predictor: main,
      state: "Failed",
      reason: full,
      node: "worker-2.eu-west.compute.internal",
      created: ago(600),
      restarts: 6,
      containers: [
        fetcher,
        container("classifier", {
          ready: false,
          restarts: 6,
          reason: "CrashLoopBackOff: back-off 40s restarting failed container=classifier",
        }),
      ],
    },
    {
      name: "iris-canary-0-classifier-5f7d88c9bb-8hkgw",
      predictor: canary,
      state: "Starting",
      node: "worker-1.eu-west.compute.internal",
      created: ago(14),
      restarts: 0,
      containers: [fetcher, container("classifier", { ready: false })],
    },
    {
      name: "iris-canary-0-classifier-5f7d88c9bb-j4lmn",
      predictor: canary,
      state: "Pending",
      reason: "0/3 nodes are available: 3 Insufficient memory",
      created: ago(14),
      restarts: 0,
      containers: [{ ...fetcher, ready: false }, container("classifier", { ready: false })],
    },
    {
      name: "iris-main-0-classifier-58c8d7c6f4-p5tqs",
      predictor: main,
      state: "Stopping",
      node: "worker-3.eu-west.compute.internal",
      created: ago(9 * 86_400),
      restarts: 0,
      containers: [fetcher, container("classifier", { ready: false })],
    },
  ];
}

export function someEvents(): Schemas["EventSummary"][] {
  const pod = "Pod/iris-main-0-classifier-6d4cf56db6-zq9vd";
  return [
    {
      time: ago(4),
      count: 27,
      warning: true,
      reason: "BackOff",
      message:
        "Back-off restarting failed container classifier in pod iris-main-0-classifier-6d4cf56db6-zq9vd",
      object: pod,
    },
    {
      time: ago(14),
      count: 1,
      warning: true,
      reason: "FailedScheduling",
      message: "0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available.",
      object: "Pod/iris-canary-0-classifier-5f7d88c9bb-j4lmn",
    },
    {
      time: ago(15),
      count: 1,
      warning: false,
      reason: "ScalingReplicaSet",
      message: "Scaled up replica set iris-canary-0-classifier-5f7d88c9bb from 0 to 2",
      object: "Deployment/iris-canary-0-classifier",
    },
    {
      time: ago(590),
      count: 6,
      warning: false,
      reason: "Pulled",
      message: 'Container image "provost:0.1.0" already present on machine',
      object: pod,
    },
  ];
}

const POINT = 5;

/** What predictors used, a point every five seconds. */
export function someUsage(seconds: number, predictors = PREDICTORS): Schemas["Usage"] {
  const end = Math.floor(Date.now() / 1000 / POINT) * POINT;
  const time = Array.from(
    { length: Math.floor(seconds / POINT) },
    (_, index) => end - seconds + index * POINT,
  );
  const wave = (at: number, share: number) => share * (1.2 + Math.sin(at / 60) + 0.2 * Math.sin(at / 7));
  return {
    series: predictors.map((predictor, index) => ({
      predictor,
      time,
      instances: time.map((at) => (end - at < 300 ? 3 - index : 2 - index)),
      ready: time.map((at) => (end - at < 240 ? 3 - index : 2 - index)),
      cpu: time.map((at, place) => (place === 0 ? null : wave(at, 0.6 / (index + 1)))),
      memory: time.map((at) => (210 + 12 * wave(at, 1)) * 2 ** 20 * (2 - index)),
    })),
  };
}

/** Lines as a container writes them: `seconds` ago. */
export function line(seconds: number, text: string): string {
  return `${ago(seconds).replace("Z", "123456Z")} ${text}\n`;
}

export interface LogRequest {
  parameters: URLSearchParams;
  /** Sends lines. */
  write: (text: string) => void;
  /** As when the container ended. */
  end: () => void;
  /** As when the connection is lost. */
  lose: () => void;
  /** Whether it ended, from either side. */
  isClosed: () => boolean;
}

export class Cluster {
  instances: Instance[];
  events = someEvents();
  readonly predictors: string[];
  hasRequestLog = false;
  /** Requests for logs, in their order. */
  readonly logRequests: LogRequest[] = [];
  /** What each of these gets first; a problem's status and text where there is no log. */
  answerLog: (request: LogRequest) => { status: number; detail: string } | undefined = () => undefined;

  readonly #logs = createServer((request, response) => {
    response.setHeader("Content-Type", "text/plain; charset=utf-8");
    this.#takeLogRequest(new URL(request.url ?? "", "http://logs"), response);
    if (!response.writableEnded) response.flushHeaders();
  });

  constructor(predictors = PREDICTORS) {
    this.predictors = predictors;
    this.instances = someInstances(predictors);
  }

  /** Answers what a page asks about a deployment. Logs are streamed, as route.fulfill cannot. */
  async answerFor(page: Page, deployment: Deployment): Promise<void> {
    await new Promise<void>((resolve) => this.#logs.listen(0, "127.0.0.1", resolve));
    const { port } = this.#logs.address() as AddressInfo;
    const path = pathOf(deployment);
    await page.route("**/api/v1/status", async (route) => {
      const status = await (await route.fetch()).json();
      await route.fulfill({ json: { ...status, engine: "kubernetes", hasRequestLog: this.hasRequestLog } });
    });
    const answer = (end: string, json: (route: Route) => unknown) =>
      page.route(
        ({ pathname }) => pathname === `${path}/${end}`,
        (route) => route.fulfill({ json: json(route) }),
      );
    await answer("instances", () => ({ items: this.instances }));
    await answer("events", () => ({ items: this.events }));
    await answer("usage", (route) => {
      const seconds = new URL(route.request().url()).searchParams.get("seconds");
      return someUsage(Number(seconds), this.predictors);
    });
    await page.route(
      ({ pathname }) => pathname.startsWith(`${path}/instances/`),
      (route) => route.continue({ url: `http://127.0.0.1:${port}/${new URL(route.request().url()).search}` }),
    );
  }

  stop(): void {
    this.#logs.closeAllConnections();
    this.#logs.close();
  }

  #takeLogRequest(url: URL, response: ServerResponse): void {
    const request: LogRequest = {
      parameters: url.searchParams,
      write: (text) => void response.write(text),
      end: () => void response.end(),
      lose: () => void response.destroy(),
      isClosed: () => response.closed,
    };
    this.logRequests.push(request);
    const problem = this.answerLog(request);
    if (!problem) return;
    const title = "Refused";
    response.writeHead(problem.status, { "Content-Type": "application/problem+json" });
    response.end(JSON.stringify({ type: "about:blank", title, code: "refused", errors: [], ...problem }));
  }
}

interface Fixtures {
  /** A cluster that runs `deployment`, as far as the page knows. */
  cluster: Cluster;
}

export const test = base.extend<Fixtures>({
  cluster: async ({ page, deployment }, use) => {
    const cluster = new Cluster();
    await cluster.answerFor(page, deployment);
    await use(cluster);
    cluster.stop();
  },
});
