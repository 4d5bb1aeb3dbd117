/** From low to high by tokens of the theme: told apart by lightness too, in light and in dark. */
export const ramp = (share: number): string => {
  const at = Math.min(1, Math.max(0, share))
  return `color-mix(in oklab, var(--s2) ${Math.round(at * 100)}%, var(--s7))`
}
