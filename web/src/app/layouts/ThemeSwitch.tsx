import IconButton from "@mui/material/IconButton";
import ListItemIcon from "@mui/material/ListItemIcon";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { useColorScheme } from "@mui/material/styles";
import Tooltip from "@mui/material/Tooltip";
import { useState } from "react";
import { DarkIcon, LightIcon, SystemIcon } from "@/ui/icons";

const modes = [
  { mode: "light", label: "Light", Icon: LightIcon },
  { mode: "dark", label: "Dark", Icon: DarkIcon },
  { mode: "system", label: "As the system", Icon: SystemIcon },
] as const;

/** Chooses between light and dark. */
export function ThemeSwitch() {
  const { mode = "system", systemMode, setMode } = useColorScheme();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const isDark = (mode === "system" ? systemMode : mode) === "dark";
  const Icon = isDark ? DarkIcon : LightIcon;
  return (
    <>
      <Tooltip title="Theme">
        <IconButton
          aria-label="Theme"
          aria-haspopup="menu"
          aria-expanded={anchor !== null}
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <Icon />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {modes.map(({ mode: one, label, Icon: ModeIcon }) => (
          <MenuItem
            key={one}
            role="menuitemradio"
            aria-checked={mode === one}
            selected={mode === one}
            onClick={() => {
              setMode(one);
              setAnchor(null);
            }}
          >
            <ListItemIcon>
              <ModeIcon />
            </ListItemIcon>
            {label}
          </MenuItem>
        ))}
      </Menu>
    </>
  );
}
