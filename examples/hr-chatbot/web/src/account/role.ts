import { createContext, useContext } from "react";
import type { User } from "../api/account";

/** What the person who is signed in may see. The server decides what they may do. */
export const RoleContext = createContext<User["role"]>("employee");

export const useIsAdministrator = () => useContext(RoleContext) === "administrator";
