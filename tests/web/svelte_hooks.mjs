// Module hooks of Node: what a bundler does for Svelte, whose package is compiled by its reader.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compileModule } from "svelte/compiler";

export async function resolve(specifier, context, next) {
  if (specifier !== "@ai-sdk/svelte") return next(specifier, context);
  const place = new URL("./node_modules/@ai-sdk/svelte/dist/index.js", import.meta.url);
  return { url: place.href, shortCircuit: true };
}

export async function load(url, context, next) {
  if (!url.endsWith(".svelte.js")) return next(url, context);
  const source = await readFile(fileURLToPath(url), "utf8");
  const { js } = compileModule(source, { generate: "client", filename: fileURLToPath(url) });
  return { format: "module", source: js.code, shortCircuit: true };
}
