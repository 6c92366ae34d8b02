// Drives the core of CopilotKit, with an agent that speaks to the server itself.
import { createInterface } from "node:readline";
import { HttpAgent } from "@ag-ui/client";
import { CopilotKitCore } from "@copilotkit/core";

console.error = () => {};
console.warn = () => {};
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function talk({ base, id, user, onBusy = "reject" }) {
  const headers = { "x-user": user, "x-on-busy": onBusy };
  const agent = new HttpAgent({ url: `${base}/chats`, threadId: id, headers });
  const core = new CopilotKitCore({ agents__unsafe_dev_only: { default: agent }, headers });
  const errors = [];
  core.subscribe({ onError: ({ error }) => void errors.push(String(error)) });
  const run = async (script) => {
    core.setHeaders({ ...headers, "x-script": script });
    await core.runAgent({ agent }).catch((error) => errors.push(String(error)));
  };
  const ask = (message, content) => agent.addMessage({ id: message, role: "user", content });
  return { agent, core, errors, run, ask };
}

const until = async (condition) => {
  while (!condition()) await sleep(10);
};
const hasText = ({ agent }) => agent.messages.some((it) => it.role === "assistant" && it.content);

const scenarios = {
  async again(given) {
    const page = talk(given);
    page.ask("q1", "Hello?");
    await page.run("tools");
    page.agent.setMessages(page.agent.messages.slice(0, 1));
    await page.run("other");
    return { errors: page.errors, messages: page.agent.messages };
  },

  async stop(given) {
    const page = talk(given);
    page.ask("q1", "Go on.");
    const running = page.run("slow");
    await until(() => hasText(page));
    const { base, id, user } = given;
    await fetch(`${base}/chats/${id}/stop`, { method: "POST", headers: { "x-user": user } });
    await running;
    return { errors: page.errors, messages: page.agent.messages };
  },

  async ownStop(given) {
    const page = talk(given);
    page.ask("q1", "Go on.");
    const running = page.run("slower");
    await until(() => hasText(page));
    page.core.stopAgent({ agent: page.agent });
    await running;
    page.errors.length = 0;
    page.ask("q2", "Hello?");
    await page.run("hello");
    return { errors: page.errors, messages: page.agent.messages };
  },
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { scenario, ...given } = JSON.parse(line);
  let answer;
  try {
    answer = { result: await scenarios[scenario](given) };
  } catch (error) {
    answer = { failure: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
