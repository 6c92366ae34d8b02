import { json, request } from "./request";

export interface User {
  id: number;
  name: string;
  email: string;
  role: "employee" | "hr" | "administrator";
}

/** An account that a demo server offers for trying out. */
export interface DemoAccount {
  name: string;
  email: string;
  password: string;
  role: User["role"];
}

export const whoAmI = () => request<User>("/api/me");

export const signIn = (email: string, password: string) =>
  request<User>("/api/sign-in", json("POST", { email, password }));

export const signOut = () => request<void>("/api/sign-out", { method: "POST" });

/** The accounts a demo server shows on its sign-in page; every other server has none to show. */
export async function demoAccounts(): Promise<DemoAccount[]> {
  try {
    return (await request<{ accounts: DemoAccount[] }>("/api/demo")).accounts;
  } catch {
    return [];
  }
}
