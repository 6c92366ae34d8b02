// Drives assistant-ui without a page. The first argument is its wire: ag-ui or ai-sdk.
import { createInterface } from "node:readline";
import { HttpAgent } from "@ag-ui/client";
import { AssistantRuntimeProvider } from "@assistant-ui/react";
import { useAgUiRuntime } from "@assistant-ui/react-ag-ui";
import { AssistantChatTransport, useChatRuntime } from "@assistant-ui/react-ai-sdk";
import { createElement as element } from "react";
import TestRenderer from "react-test-renderer";

globalThis.IS_REACT_ACT_ENVIRONMENT = false;
console.error = () => {};
console.warn = () => {};
const wire = process.argv[2];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

const until = async (condition, what) => {
  for (let round = 0; round < 1000; round++) {
    if (condition()) return;
    await sleep(10);
  }
  throw new Error(`Waited in vain for ${what}`);
};

// A page with a new chat, which the client names itself.
async function open({ base, user }) {
  const state = { script: "hello", errors: [], calls: [], rated: [], asked: 0 };
  const headers = () => ({
    "x-user": user,
    "x-script": state.script,
    "x-on-busy": "interrupt",
    "x-chat-messages": "whole",
    "x-ai-sdk-version": "7.0.173",
  });
  const watched = async (input, init) => {
    const response = await fetch(input, { ...init, headers: { ...init?.headers, ...headers() } });
    state.calls.push(response.status);
    return response;
  };
  const api = `${base}/named`;
  const agent = new HttpAgent({ url: api, headers: headers() });
  agent.fetch = watched;
  agent.requestInit = ((own) => (input) => ({ ...own.call(agent, input), headers: { "content-type": "application/json", ...headers() } }))(agent.requestInit);
  const rate = async (message, type) => {
    const [{ id }] = (await (await fetch(api, { headers: headers() })).json()).chats;
    const value = type === "positive" ? 1 : -1;
    const body = JSON.stringify({ messageId: message.id, value });
    const sent = { method: "POST", headers: { "content-type": "application/json", ...headers() }, body };
    return (await (await fetch(`${api}/${id}/feedback`, sent)).json()).feedback;
  };
  const transport = new AssistantChatTransport({ api, fetch: watched });
  let runtime;
  function Page() {
    const onError = (error) => void state.errors.push(String(error));
    const adapters = { feedback: { submit: ({ message, type }) => void state.rated.push(rate(message, type)) } };
    const options = { onError, adapters };
    runtime = wire === "ag-ui" ? useAgUiRuntime({ agent, ...options }) : useChatRuntime({ transport, ...options });
    return element(AssistantRuntimeProvider, { runtime }, null);
  }
  const root = TestRenderer.create(element(Page));
  await until(() => runtime?.thread, "the page");
  const thread = () => runtime.thread;
  const done = async () => {
    const number = ++state.asked;
    const ended = () => {
      const { isRunning, messages } = thread().getState();
      return state.calls.length >= number && !isRunning && messages.at(-1)?.role === "assistant";
    };
    await until(ended, "the answer");
    await sleep(50);
  };
  const texts = () =>
    thread().getState().messages.map((message) =>
      message.content.filter((part) => part.type === "text").map((part) => part.text).join(""),
    );
  const ask = async (text, script) => {
    state.script = script;
    thread().append(text);
    await done();
  };
  const listed = async () => {
    const { chats } = await (await fetch(api, { headers: { "x-user": user } })).json();
    const stored = [];
    for (const { id } of chats) {
      const { messages } = await (await fetch(`${api}/${id}`, { headers: { "x-user": user } })).json();
      stored.push(messages.map(({ parts }) => parts.map((part) => part.text ?? "").join("")));
    }
    return stored;
  };
  return { state, thread, ask, done, texts, listed, close: () => root.unmount() };
}

const scenarios = {
  async again(given) {
    const page = await open(given);
    await page.ask("Hello?", "hello");
    page.state.script = "other";
    const answer = page.thread().getState().messages.at(-1).id;
    page.thread().getMessageById(answer).reload();
    await page.done();
    return page;
  },

  async branch(given) {
    const page = await open(given);
    const last = () => page.thread().getMessageById(page.thread().getState().messages.at(-1).id);
    await page.ask("Hello?", "hello");
    page.state.script = "other";
    last().reload();
    await page.done();
    last().switchToBranch({ position: "previous" });
    await sleep(50);
    page.state.shown = page.texts();
    await page.ask("And?", "hello");
    return page;
  },

  async feedback(given) {
    const page = await open(given);
    await page.ask("Hello?", "hello");
    page.thread().getMessageById(page.thread().getState().messages.at(-1).id).submitFeedback({ type: "negative" });
    page.state.shown = await Promise.all(page.state.rated);
    return page;
  },

  async edit(given) {
    const page = await open(given);
    await page.ask("Hello?", "hello");
    await page.ask("And?", "hello");
    for (const [place, text] of [[2, "And now?"], [0, "Hallo?"]]) {
      page.state.script = "other";
      const { composer } = page.thread().getMessageById(page.thread().getState().messages[place].id);
      composer.beginEdit();
      await sleep(50);
      composer.setText(text);
      await sleep(50);
      composer.send();
      await page.done();
      page.state.shown = [...(page.state.shown ?? []), await page.listed()];
    }
    return page;
  },

  async ownStop(given) {
    const page = await open(given);
    page.state.script = "slower";
    page.thread().append("Go on.");
    await until(() => page.texts().at(-1)?.includes("word1"), "text");
    page.thread().cancelRun();
    await page.done();
    page.state.errors.length = 0;
    await page.ask("Hello?", "hello");
    return page;
  },
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { scenario, ...given } = JSON.parse(line);
  let answer;
  try {
    const page = await scenarios[scenario](given);
    const { errors, calls, shown } = page.state;
    answer = { result: { errors, calls, shown, texts: page.texts(), stored: await page.listed() } };
    page.close();
  } catch (error) {
    answer = { failure: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
