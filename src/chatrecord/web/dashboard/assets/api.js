// What the server is asked for. Addresses are relative, so that the page works below any path.

export class Problem extends Error {}

export async function get(path, parameters = {}, signal = undefined) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== "" && value !== null && value !== undefined) query.set(name, value);
  }
  let response;
  try {
    response = await fetch(`api/${path}?${query}`, { signal, headers: { accept: "application/json" } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The server cannot be reached. Check the connection, and try again.");
  }
  if (response.ok) return response.json();
  throw new Problem(await words(response));
}

async function words(response) {
  try {
    return (await response.json()).error.message;
  } catch {
    return response.status === 404 || response.status === 401 || response.status === 403
      ? "You are not signed in any more, or may not see this. Load the page again."
      : `The server has answered with the status ${response.status}.`;
  }
}

export function url(path) {
  return `api/${path}`;
}
