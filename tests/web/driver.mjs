// Drives the real client: reads commands from its input, one a line, and answers each with a line.
// The first argument is the framework: react, vue or svelte.
import { createRequire, register } from "node:module";
import { createInterface } from "node:readline";
import * as ai from "ai";

const framework = process.argv[2];
if (framework === "svelte") register("./svelte_hooks.mjs", import.meta.url);
const { Chat, useChat } = await import(`@ai-sdk/${framework}`);
const isReact = framework === "react";
const { createElement: element } = isReact ? await import("react") : {};
const { default: TestRenderer } = isReact ? await import("react-test-renderer") : {};

globalThis.IS_REACT_ACT_ENVIRONMENT = false;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const { version } = createRequire(import.meta.url)("ai/package.json");

// A browser tells a lost connection by a TypeError that names the network; Node words it otherwise.
function browserFetch(calls, { plain }) {
  return async (address, init) => {
    const response = await fetch(address, init);
    calls.push({ method: init?.method ?? "GET", status: response.status });
    if (!response.ok || response.status === 204 || !response.body) return response;
    const reader = response.body.getReader();
    const body = new ReadableStream({
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          if (error.name === "AbortError") controller.error(error);
          else controller.error(plain ? new Error("connection lost") : new TypeError("network error"));
        }
      },
      cancel: (reason) => reader.cancel(reason),
    });
    return new Response(body, { status: response.status, headers: response.headers });
  };
}

// The recipe of the docs: the stop of the client stops the answer, too.
function stoppingFetch(address, headers) {
  return (input, init) => {
    init?.signal?.addEventListener("abort", () => {
      void fetch(address, { method: "POST", headers, keepalive: true });
    });
    return fetch(input, init);
  };
}

// A tab with a chat open.
function tab({ base, id, user, script = "hello", messages, plain = false, automatic = false, through, onBusy = "reject", stopping = false }) {
  const calls = [];
  const seen = { errors: [], finishes: [], calls };
  const headers = { "x-user": user, "x-ai-sdk-version": version, "x-on-busy": onBusy };
  const state = { script };
  const transport = new ai.DefaultChatTransport({
    api: `${through ?? base}/chats`,
    headers: () => ({ ...headers, "x-script": state.script }),
    fetch: stopping ? stoppingFetch(`${base}/chats/${id}/stop`, headers) : browserFetch(calls, { plain }),
    // The recipe of the docs to go on with an answer: `regenerate({ body: { resume: true } })`.
    prepareSendMessagesRequest: ({ api, id, messages, trigger, messageId, body }) =>
      body?.resume
        ? { api: `${api}/${id}/resume`, body: {} }
        : { body: { id, messages, trigger, messageId } },
  });
  const chat = new Chat({
    id,
    messages,
    transport,
    onError: (error) => seen.errors.push(String(error)),
    onFinish: ({ message, isAbort, isDisconnect, isError, finishReason }) =>
      seen.finishes.push({ id: message.id, isAbort, isDisconnect, isError, finishReason }),
    ...(automatic
      ? { sendAutomaticallyWhen: ai.lastAssistantMessageIsCompleteWithApprovalResponses }
      : {}),
  });
  const api = async (method, path, body) => {
    const response = await fetch(`${base}/chats/${id}${path}`, {
      method,
      headers: { ...headers, "x-script": state.script, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return response;
  };
  return { chat, seen, state, api, transport };
}

const until = async (condition, what) => {
  for (let round = 0; round < 500; round++) {
    if (condition()) return;
    await sleep(10);
  }
  throw new Error(`Waited in vain for ${what}`);
};
// Vue and Svelte keep messages behind proxies.
const plainly = (value) => JSON.parse(JSON.stringify(value));
const textOf = (message) =>
  message.parts.filter((part) => part.type === "text").map((part) => part.text).join("");
const idle = (chat) => chat.status === "ready" || chat.status === "error";
const told = ({ chat, seen }) => ({ ...seen, status: chat.status, messages: plainly(chat.messages) });

const scenarios = {
  async send(given) {
    const page = tab(given);
    await page.chat.sendMessage({ text: given.text ?? "Hello?" });
    return told(page);
  },

  async file(given) {
    const page = tab(given);
    const url = "data:text/plain;base64,SGVsbG8=";
    await page.chat.sendMessage({
      text: "What is in it?",
      files: [{ type: "file", mediaType: "text/plain", filename: "hello.txt", url }],
    });
    const { messages } = await (await page.api("GET", "")).json();
    await ai.validateUIMessages({ messages });
    const kept = await (await fetch(`${given.base}${messages[0].parts[0].url}`, { headers: { "x-user": given.user } })).text();
    return { ...told(page), stored: messages, kept };
  },

  async history(given) {
    const page = tab(given);
    const { messages } = await (await page.api("GET", "")).json();
    await ai.validateUIMessages({ messages });
    return { messages };
  },

  async stop(given) {
    const page = tab(given);
    const sent = page.chat.sendMessage({ text: "Go on." });
    await until(() => page.chat.messages.length > 1 && textOf(page.chat.messages[1]), "text");
    const answer = await (await page.api("POST", "/stop")).json();
    await sent;
    return { ...told(page), answer };
  },

  // The client's own stop, which the server does not hear of; and the next question.
  async ownStop(given) {
    const page = tab(given);
    const sent = page.chat.sendMessage({ text: "Go on." });
    await until(() => page.chat.messages.length > 1 && textOf(page.chat.messages[1]), "text");
    await page.chat.stop();
    await sent;
    page.state.script = "hello";
    await page.chat.sendMessage({ text: "Hello?" });
    return told(page);
  },

  // The connection breaks under the reading tab, which resumes.
  async dropped(given) {
    const page = tab(given);
    await page.chat.sendMessage({ text: "Go on." });
    const before = { status: page.chat.status, text: textOf(page.chat.messages[1]) };
    await page.chat.resumeStream();
    return { ...told(page), before };
  },

  // The page is loaded again, at some chunk.
  async reload(given) {
    const first = tab(given);
    const sent = first.chat.sendMessage({ text: "Go on." });
    await until(() => first.chat.messages.length > 1 && textOf(first.chat.messages[1]), "text");
    const shown = textOf(first.chat.messages[1]);
    await first.chat.stop();
    await sent;
    const { messages, activeRun } = await (await first.api("GET", "")).json();
    const second = tab({ ...given, messages });
    await second.chat.resumeStream();
    await second.chat.resumeStream(); // nothing is live any more: 204
    return { ...told(second), shown, activeRun, first: first.chat.messages };
  },

  async tabs(given) {
    const pages = [tab(given)];
    const sent = pages[0].chat.sendMessage({ text: "Go on." });
    await until(() => pages[0].chat.messages.length > 1, "the answer");
    const resumed = [];
    for (let number = 0; number < 3; number++) {
      const { messages } = await (await pages[0].api("GET", "")).json();
      const page = tab({ ...given, messages });
      pages.push(page);
      resumed.push(page.chat.resumeStream());
      await sleep(150);
    }
    await Promise.all([sent, ...resumed]);
    return { tabs: pages.map(told) };
  },

  async double(given) {
    const message = { id: "same-message-id-1", role: "user", parts: [{ type: "text", text: "Go on." }] };
    const pages = [tab(given), tab(given)];
    await Promise.all(pages.map((page) => page.chat.sendMessage(message)));
    return { tabs: pages.map(told) };
  },

  async regenerate(given) {
    const page = tab(given);
    await page.chat.sendMessage({ text: "Hello?" });
    const old = page.chat.messages[1];
    page.state.script = "other";
    await page.chat.regenerate();
    return { ...told(page), old };
  },

  async regenerateEarlier(given) {
    const page = tab(given);
    await page.chat.sendMessage({ text: "Hello?" });
    await page.chat.sendMessage({ text: "And again?" });
    page.state.script = "other";
    await page.chat.regenerate({ messageId: page.chat.messages[1].id });
    return told(page);
  },

  // Twice, by the id that the client has given the question itself.
  async edit(given) {
    const page = tab(given);
    await page.chat.sendMessage({ text: "Hello?" });
    await page.chat.sendMessage({ text: "And again?" });
    const { id } = page.chat.messages[0];
    page.state.script = "other";
    await page.chat.sendMessage({ text: "Hallo?", messageId: id });
    page.state.script = "hello";
    await page.chat.sendMessage({ text: "Salut?", messageId: id });
    const stored = await (await page.api("GET", "")).json();
    page.state.script = "other";
    const again = tab({ ...given, script: "other", messages: stored.messages });
    await again.chat.sendMessage({ text: "Ciao?", messageId: stored.messages[0].id });
    return { ...told(again), before: told(page) };
  },

  async approval(given) {
    const page = tab({ ...given, automatic: true });
    await page.chat.sendMessage({ text: "Pay." });
    const parked = plainly(page.chat.messages[1]);
    const stored = await (await page.api("GET", "")).json();
    await ai.validateUIMessages({ messages: stored.messages });
    page.state.script = "paid";
    for (const part of parked.parts) {
      if (part.state !== "approval-requested") continue;
      const approved = !given.denied?.includes(part.toolCallId);
      await page.chat.addToolApprovalResponse({
        id: part.approval.id,
        approved,
        ...(approved ? {} : { reason: "Too dear" }),
      });
    }
    await until(() => page.seen.finishes.length > 1 || page.seen.errors.length, "the answer");
    await until(() => idle(page.chat), "the end");
    return { ...told(page), parked, stored };
  },

  // What version 5 has no words for, through the routes.
  async approvalByRoute(given) {
    const page = tab(given);
    await page.chat.sendMessage({ text: "Pay." });
    const parked = plainly(page.chat.messages[1]);
    const { pendingApprovals } = await (await page.api("GET", "")).json();
    page.state.script = "paid";
    const answers = [];
    for (const { callId } of pendingApprovals) {
      const denied = given.denied?.includes(callId);
      const path = denied ? "/deny" : "/approve";
      const response = await page.api("POST", path, { callId, ...(denied ? { reason: "Too dear" } : {}) });
      answers.push(await response.json());
    }
    await page.chat.regenerate({ body: { resume: true } });
    return { ...told(page), parked, answers };
  },

  // An answer that broke off is gone on with.
  async goOn(given) {
    const page = tab(given);
    await page.chat.sendMessage({ text: "Hello?" });
    const broken = plainly(page.chat.messages[1]);
    page.state.script = "hello";
    await page.chat.regenerate({ body: { resume: true } });
    const after = await page.api("POST", "/resume");
    return { ...told(page), broken, after: { status: after.status, body: await after.json() } };
  },

  // With the hook, as a page has it: a reload in mid-answer.
  async hook(given) {
    const first = tab(given);
    const sent = first.chat.sendMessage({ text: "Go on." });
    await until(() => first.chat.messages.length > 1 && textOf(first.chat.messages[1]), "text");
    await first.chat.stop();
    await sent;
    const { messages } = await (await first.api("GET", "")).json();
    const shown = [];
    let state;
    function Page() {
      state = useChat({ id: given.id, messages, transport: first.transport, resume: true });
      shown.push(state.messages.map(textOf));
      return null;
    }
    const root = TestRenderer.create(element(Page));
    await until(() => state?.messages.length > 1, "the answer");
    await until(() => state.status === "ready", "the end");
    const result = { messages: state.messages, status: state.status, error: String(state.error ?? "") };
    root.unmount();
    return { ...result, shown };
  },

  // With the hook: the connection breaks under it.
  async hookDropped(given) {
    const page = tab(given);
    let state;
    function Page() {
      state = useChat({ id: given.id, transport: page.transport });
      return null;
    }
    const root = TestRenderer.create(element(Page));
    await until(() => state, "the page");
    await state.sendMessage({ text: "Go on." });
    const before = textOf(state.messages[1]);
    await state.resumeStream();
    await until(() => state.status === "ready", "the end");
    const result = { messages: state.messages, before };
    root.unmount();
    return result;
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
