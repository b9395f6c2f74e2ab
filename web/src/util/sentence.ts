/** A message as a sentence: with a capital and a full stop. */
export function sentence(text: string): string {
  const first = text.charAt(0);
  const start = /^[a-z]+([ ,;:]|$)/.test(text) ? first.toUpperCase() + text.slice(1) : text;
  return /[.!?…]$/.test(start) ? start : `${start}.`;
}
