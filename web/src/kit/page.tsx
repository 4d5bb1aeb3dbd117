import { IconCheck, IconCopy } from '@tabler/icons-react'
import { type ReactNode, useEffect, useState } from 'react'
import { A } from './link.tsx'
import styles from './page.module.css'

export interface Crumb {
  label: string
  href: string
}

/** A page: where it stands, what it is called, how it is, what can be done; then its content. */
export function Page({
  title,
  titleNode,
  crumbs = [],
  state,
  facts,
  actions,
  lead,
  children,
}: {
  title: string
  titleNode?: ReactNode
  crumbs?: Crumb[]
  state?: ReactNode
  facts?: ReactNode
  actions?: ReactNode
  lead?: ReactNode
  children: ReactNode
}) {
  useEffect(() => {
    document.title = `${title} · Slipway`
  }, [title])
  return (
    <div className={styles.page}>
      <header className={styles.header}>
        {crumbs.length > 0 && (
          <nav aria-label="Breadcrumb" className={styles.crumbs}>
            <ol>
              {crumbs.map(({ label, href }) => (
                <li key={href}>
                  <A href={href}>{label}</A>
                </li>
              ))}
            </ol>
          </nav>
        )}
        <div className={styles.title}>
          <h1>{titleNode ?? title}</h1>
          {state}
          {actions && <div className={styles.actions}>{actions}</div>}
        </div>
        {lead && <div className={styles.lead}>{lead}</div>}
        {facts}
      </header>
      {children}
    </div>
  )
}

/** A part of a page with a heading. `plain` has no ground of its own. */
export function Panel({
  title,
  note,
  aside,
  children,
  plain,
  id,
  className,
}: {
  title?: ReactNode
  note?: ReactNode
  aside?: ReactNode
  children: ReactNode
  plain?: boolean
  id?: string
  className?: string
}) {
  return (
    <section className={`${styles.panel} ${plain ? styles.plain : ''} ${className ?? ''}`} id={id}>
      {(title || aside) && (
        <header className={styles.panelHead}>
          <div className={styles.panelTitle}>
            {title && <h2>{title}</h2>}
            {note && <div className={styles.note}>{note}</div>}
          </div>
          {aside && <div className={styles.aside}>{aside}</div>}
        </header>
      )}
      {children}
    </section>
  )
}

/** Facts side by side: a strip under the title, or a list in a panel. Facts without a value are left out. */
export function Facts({
  items,
  list,
}: {
  items: readonly (readonly [label: string, value: ReactNode] | false | '' | null | undefined)[]
  list?: boolean
}) {
  const shown = items.filter(
    (item): item is readonly [string, ReactNode] =>
      Boolean(item) &&
      (item as readonly [string, ReactNode])[1] !== null &&
      (item as readonly [string, ReactNode])[1] !== undefined,
  )
  return (
    <dl className={list ? styles.factList : styles.facts}>
      {shown.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Text to take along, with a button that does. */
export function Copy({ text, children, label }: { text: string; children?: ReactNode; label?: string }) {
  const [done, setDone] = useState(false)
  useEffect(() => {
    if (!done) return
    const timer = window.setTimeout(() => setDone(false), 1500)
    return () => window.clearTimeout(timer)
  }, [done])
  return (
    <span className={styles.copy}>
      {children ?? <code>{text}</code>}
      <button
        type="button"
        aria-label={done ? 'Copied' : `Copy ${label ?? text.slice(0, 60)}`}
        onClick={() => void navigator.clipboard?.writeText(text).then(() => setDone(true))}
      >
        {done ? <IconCheck size={13} /> : <IconCopy size={13} />}
      </button>
    </span>
  )
}

/** A command to run, ready to be copied. */
export function Command({ children }: { children: string }) {
  return (
    <span className={styles.command}>
      <Copy text={children}>
        <code>{children}</code>
      </Copy>
    </span>
  )
}
