import type { User } from "../api/account";
import type { DocumentSummary } from "../api/handbook";

export const isEditor = ({ role }: User) => role !== "employee";

/** What belongs to the handbook's folder is changed there. */
export const mayEdit = (user: User, { origin }: DocumentSummary) => isEditor(user) && origin === "upload";
