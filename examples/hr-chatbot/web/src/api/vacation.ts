import { request } from "./request";

export interface TimeOff {
  firstDay: string;
  lastDay: string;
  days: number;
  reason: string;
}

export interface Vacation {
  year: number;
  entitled: number;
  taken: number;
  left: number;
  requests: TimeOff[];
  /** A day in a month or so that can be booked. */
  freeFriday: string;
}

export const getVacation = () => request<Vacation>("/api/vacation");
