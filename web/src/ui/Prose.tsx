import { Fragment } from "react";
import { Mono } from "./Mono";

/** A sentence of the server: what stands in backticks there is code. */
export function Prose({ text }: { text: string }) {
  return text.split("`").map((part, index) => {
    const key = `${index} ${part}`;
    return index % 2 === 1 ? <Mono key={key}>{part}</Mono> : <Fragment key={key}>{part}</Fragment>;
  });
}
