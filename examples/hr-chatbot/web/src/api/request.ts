import { reportReachable } from "./connection";

/** What the server answered instead of what was asked for; `status` is 0 when it did not answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }

  get isOffline() {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

const offline = () => new ApiError(0, "offline", "The server cannot be reached.");

const signedOutListeners = new Set<() => void>();

/** Calls `listener` whenever the server says that nobody is signed in any more. */
export function onSignedOut(listener: () => void) {
  signedOutListeners.add(listener);
  return () => void signedOutListeners.delete(listener);
}

/** `fetch` that throws an `ApiError` for every answer that is not a success. */
export async function send(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(input, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    reportReachable(false);
    throw offline();
  }
  if (!response.ok) throw heard(errorOf(response.status, await response.text().catch(() => "")));
  reportReachable(true);
  return response;
}

/** The JSON that the server answers with; `undefined` when it has nothing to say. */
export async function request<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await send(path, init);
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export function json(method: "POST" | "PATCH", body: unknown): RequestInit {
  return { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

function heard(error: ApiError) {
  reportReachable(!error.isOffline);
  return error;
}

/** Turns an answer like `{error: {code, message}}` into an error, whatever the body really is. */
export function errorOf(status: number, body: string): ApiError {
  if (status === 0) return offline();
  if (status === 401) for (const listener of signedOutListeners) listener();
  const { code, message } = told(body) ?? {};
  return new ApiError(status, code ?? "error", message ?? `The server answered with an error (${status}).`);
}

function told(body: string): { code?: string; message?: string } | undefined {
  try {
    return (JSON.parse(body) as { error?: { code?: string; message?: string } } | null)?.error;
  } catch {
    return undefined;
  }
}

/** What to tell a person about any error. */
export function wording(error: unknown): string {
  if (error instanceof TypeError) return "The connection was lost.";
  return error instanceof Error && error.message ? error.message : "Something went wrong.";
}
