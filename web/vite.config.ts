import { defineConfig } from "vite";

// Relative addresses, so that the page works behind a proxy that serves it under another path. Fixed names, because the
// binary embeds the files under these names; their ETags tell browsers when they change.
export default defineConfig({
  base: "./",
  build: {
    emptyOutDir: true,
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: { output: { entryFileNames: "page.js", assetFileNames: "page[extname]" } },
  },
});
