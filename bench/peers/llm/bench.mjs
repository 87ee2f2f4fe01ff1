// The peer of bench_llm: llama.cpp through node-llama-cpp (npm install node-llama-cpp in a scratch
// folder, and run this file from there).
//
// usage: node bench.mjs MODEL THREADS PROMPT GENERATE
// prints: open_ms prompt_tokens_per_s generate_tokens_per_s resident_mb
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(process.cwd() + "/"));
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(require.resolve("node-llama-cpp")));
const [, , path, threads, promptLen, generateLen] = process.argv;
const llama = await getLlama({
  gpu: false, build: "never", logLevel: LlamaLogLevel.error, maxThreads: Number(threads),
});
const opening = performance.now();
const model = await llama.loadModel({ modelPath: path });
const opened = performance.now();
const context = await model.createContext({
  contextSize: Number(promptLen) + Number(generateLen) + 16, batchSize: 512, threads: Number(threads),
});
const sequence = context.getSequence();
const tokens = Array.from({ length: Number(promptLen) }, (_, i) => ((i * 7) % 700) + 3);
await sequence.evaluateWithoutGeneratingNewTokens([5, 6, 7]);
await sequence.clearHistory();
const begin = performance.now();
await sequence.evaluateWithoutGeneratingNewTokens(tokens);
const middle = performance.now();
let count = 0;
for await (const token of sequence.evaluate([5], { temperature: 0, yieldEogToken: true })) {
  if (token !== undefined && ++count >= Number(generateLen)) break;
}
const end = performance.now();
console.log(
  (opened - opening).toFixed(1), ((promptLen * 1000) / (middle - begin)).toFixed(2),
  ((count * 1000) / (end - middle)).toFixed(2), (process.memoryUsage().rss / 1e6).toFixed(0),
);
process.exit(0);
