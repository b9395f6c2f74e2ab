import { defineConfig } from "@playwright/test";

/** Where results, traces and reports of failures go. */
const output = process.env.PROVOST_E2E_OUTPUT ?? "test-results";

// biome-ignore lint/style/noDefaultExport: Playwright reads the default export.
export default defineConfig({
  testDir: "e2e",
  outputDir: output,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  fullyParallel: true,
  workers: 2,
  forbidOnly: Boolean(process.env.CI),
  reporter: [["list"], ["json", { outputFile: `${output}/results.json` }]],
  use: {
    baseURL: process.env.PROVOST_URL ?? "http://127.0.0.1:8000",
    browserName: "chromium",
    viewport: { width: 1280, height: 800 },
    // A recording of each test: npx playwright show-trace <output>/…/trace.zip
    trace: "on",
    screenshot: "only-on-failure",
    launchOptions: {
      // Debian's Chromium; Playwright downloads none.
      executablePath: process.env.PROVOST_CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "console", testMatch: "*.spec.ts" },
    // In order, by one worker: they look at the same deployments.
    { name: "screenshots", testMatch: "screenshots.ts", fullyParallel: false },
  ],
});
