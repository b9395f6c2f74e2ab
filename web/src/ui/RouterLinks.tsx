/** MUI's components as links of the router, typed by its routes. */
import Button, { type ButtonProps } from "@mui/material/Button";
import Link, { type LinkProps } from "@mui/material/Link";
import { createLink } from "@tanstack/react-router";
import type { Ref } from "react";

type Anchor = { ref?: Ref<HTMLAnchorElement> };

function AnchorLink(props: Omit<LinkProps<"a">, "ref"> & Anchor) {
  return <Link {...props} />;
}

function AnchorButton(props: Omit<ButtonProps<"a">, "ref"> & Anchor) {
  return <Button component="a" {...props} />;
}

export const RouterLink = createLink(AnchorLink);
export const LinkButton = createLink(AnchorButton);
