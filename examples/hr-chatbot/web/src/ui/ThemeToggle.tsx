import { IconButton } from "./IconButton";
import { themes, useTheme } from "./useTheme";

export function ThemeToggle() {
  const { theme, setTheme } = useTheme();
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? "system";
  return <IconButton icon={theme} label={`Theme: ${theme}`} data-testid="theme" onClick={() => setTheme(next)} />;
}
