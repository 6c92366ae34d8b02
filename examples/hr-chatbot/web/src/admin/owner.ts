import type { AuditedChat } from "../api/admin";

export function ownerOf({ user }: AuditedChat) {
  if (!user) return "unknown";
  return typeof user === "string" ? user : user.name || user.email;
}
