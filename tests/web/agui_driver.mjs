// Drives the AG-UI client: reads commands from its input, one a line, and answers each with a line.
import { createInterface } from "node:readline";
import { HttpAgent, buildResumeArray } from "@ag-ui/client";

const complaints = [];
console.warn = (...words) => complaints.push(words.join(" "));
console.error = console.warn;

function talk({ base, id, user, onBusy = "reject" }) {
  const headers = { "x-user": user, "x-on-busy": onBusy };
  const agent = new HttpAgent({ url: `${base}/chats`, threadId: id, headers });
  const seen = { events: [], errors: [], outcomes: [], results: [], customs: [] };
  const subscriber = {
    onEvent: ({ event }) => void seen.events.push(event.type),
    onRunErrorEvent: ({ event }) => void seen.errors.push(event.message),
    onRunFailed: ({ error }) => void seen.errors.push(String(error)),
    onCustomEvent: ({ event }) => void seen.customs.push({ name: event.name, value: event.value }),
    onRunFinishedEvent: ({ event }) => {
      seen.outcomes.push(event.outcome?.type ?? "none");
      if (event.result !== undefined) seen.results.push(event.result);
    },
  };
  const run = async (script, parameters = {}) => {
    agent.headers = { ...headers, "x-script": script };
    try {
      await agent.runAgent(parameters, subscriber);
    } catch (error) {
      seen.errors.push(String(error));
    }
  };
  return { agent, seen, run };
}

const scenarios = {
  async send(given) {
    const { agent, seen, run } = talk(given);
    agent.addMessage({ id: "question-1", role: "user", content: "Hello?" });
    await run(given.script);
    return { ...seen, messages: agent.messages, state: agent.state };
  },

  async stop(given) {
    const { agent, seen, run } = talk(given);
    agent.addMessage({ id: "question-1", role: "user", content: "Go on." });
    const running = run("slow");
    while (!seen.events.includes("TEXT_MESSAGE_CONTENT")) await new Promise((done) => setTimeout(done, 10));
    const { base, id, user } = given;
    const response = await fetch(`${base}/chats/${id}/stop`, { method: "POST", headers: { "x-user": user } });
    await running;
    return { ...seen, answer: await response.json(), messages: agent.messages };
  },

  // The client's own stop, which the server does not hear of; and the next question.
  async ownStop(given) {
    const { agent, seen, run } = talk(given);
    agent.addMessage({ id: "question-1", role: "user", content: "Go on." });
    const running = run("slower");
    while (!seen.events.includes("TEXT_MESSAGE_CONTENT")) await new Promise((done) => setTimeout(done, 10));
    agent.abortRun();
    await running;
    seen.errors.length = 0;
    agent.addMessage({ id: "question-2", role: "user", content: "Hello?" });
    await run("hello");
    return { ...seen, messages: agent.messages };
  },

  // The same question again, as a new run; then the question put differently, by a new message.
  async again(given) {
    const { agent, seen, run } = talk(given);
    const first = { id: "question-1", role: "user", content: "Hello?" };
    agent.addMessage(first);
    await run("hello");
    agent.setMessages([first]);
    await run("other");
    const regenerated = [...agent.messages];
    agent.addMessage({ id: "question-2", role: "user", content: "And again?" });
    await run("hello");
    agent.setMessages([...regenerated, { id: "question-3", role: "user", content: "And now?" }]);
    await run("other");
    return { ...seen, messages: agent.messages };
  },

  async approval(given) {
    const { agent, seen, run } = talk(given);
    agent.addMessage({ id: "question-1", role: "user", content: "Pay." });
    await run("pay-two");
    const asked = agent.pendingInterrupts;
    const answers = Object.fromEntries(
      asked.map(({ id }) => [id, { status: "resolved", payload: { approved: id === "pay-1", reason: "Too dear" } }]),
    );
    await run("paid", { resume: buildResumeArray(asked, answers) });
    return { ...seen, asked, messages: agent.messages };
  },
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { scenario, ...given } = JSON.parse(line);
  let answer;
  try {
    complaints.length = 0;
    answer = { result: { ...(await scenarios[scenario](given)), complaints: [...complaints] } };
  } catch (error) {
    answer = { failure: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
