import { defineConfig } from "vite";

// Relative addresses: the page works behind a proxy that puts it somewhere else. Fixed names: the binary holds the files
// under them, and their ETags say when they have changed.
export default defineConfig({
  base: "./",
  build: {
    emptyOutDir: true,
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: { output: { entryFileNames: "page.js", assetFileNames: "page[extname]" } },
  },
});
