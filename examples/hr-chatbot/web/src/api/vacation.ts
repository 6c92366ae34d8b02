import { request } from "./request";

export interface TimeOff {
  id?: string;
  start: string;
  end: string;
  days: number;
  status: string;
}

export interface Vacation {
  balance: number;
  requests: TimeOff[];
}

export const getVacation = () => request<Vacation>("/api/vacation");
