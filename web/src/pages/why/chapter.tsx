import type { ReactNode } from 'react'
import styles from './why.module.css'

/** One part of the story. What is missing says why, so that a gap is never taken for an end. */
export function Chapter({
  title,
  lead,
  missing,
  children,
}: {
  title: string
  lead?: ReactNode
  missing?: string | undefined
  children?: ReactNode
}) {
  return (
    <li className={styles.chapter} data-missing={missing ? true : undefined}>
      <h2>{title}</h2>
      <div>
        {lead && <p className={styles.lead}>{lead}</p>}
        {missing ? <p className="muted">Not known: {missing}.</p> : children}
      </div>
    </li>
  )
}
