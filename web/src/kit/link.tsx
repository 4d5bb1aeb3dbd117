import { useRouter } from '@tanstack/react-router'
import type { AnchorHTMLAttributes, MouseEvent } from 'react'
import { pathOfSubject } from '../paths.ts'
import { base } from '../workspace.ts'

/** Goes to an address of `paths` without loading the page anew, in the workspace that is open. */
export function useGo(): (href: string, how?: { replace?: boolean }) => void {
  const router = useRouter()
  return (href, how) => (how?.replace ? router.history.replace(base + href) : router.history.push(base + href))
}

/** A link to an address of `paths`. New tabs, middle clicks and downloads stay the browser's. */
export function A({ href, onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const go = useGo()
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event)
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey ||
      rest.target
    )
      return
    event.preventDefault()
    go(href)
  }
  return <a href={base + href} onClick={follow} {...rest} />
}

/** A link to the page of a subject, or its words alone when it has none. */
export function SubjectLink({ kind, id, children }: { kind: string; id: string; children?: React.ReactNode }) {
  const href = pathOfSubject(kind, id)
  return href ? <A href={href}>{children ?? id}</A> : <span>{children ?? id}</span>
}
