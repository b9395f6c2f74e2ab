import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** What the server sends with the console; the development server does too. */
const securityPolicy = [
  "default-src 'self'",
  // The development server's own script is inline.
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self' ws:",
  "frame-ancestors 'none'",
].join("; ");

/** Keeps the folder of the built console in git, empty: so the server can be built without Node. */
const keepFolder: Plugin = {
  name: "keep-folder",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: ".gitignore", source: "*\n!.gitignore\n" });
  },
};

const server = process.env.PROVOST_URL ?? "http://127.0.0.1:8000";

// biome-ignore lint/style/noDefaultExport: Vite reads the default export.
export default defineConfig({
  plugins: [react(), keepFolder],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    // Fonts and images as data: URLs would break the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    // What the licences of the libraries ask for.
    license: { fileName: "licenses.md" },
  },
  server: {
    headers: { "Content-Security-Policy": securityPolicy },
    // The browser's own Host goes on: the server refuses writes from a page of another host.
    proxy: {
      "/api": { target: server, changeOrigin: false },
      "/seldon": { target: server, changeOrigin: false },
    },
  },
});
