/** Text as it stands, in a frame that scrolls and that the keyboard reaches. */
export function Code({ label, text, className }: { label: string; text: string; className?: string | undefined }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section aria-label={label} tabIndex={0} className={className}>
      <pre>{text}</pre>
    </section>
  )
}
