import { useLocation, useRouter } from '@tanstack/react-router'
import { useCallback } from 'react'

/** One field of the page's state, kept in the address: what is seen can be sent to somebody, and Back undoes it. */
export function useUrlState(
  key: string,
  fallback = '',
): [value: string, set: (value: string | undefined, how?: { push?: boolean }) => void] {
  const router = useRouter()
  const { searchStr } = useLocation()
  const value = new URLSearchParams(searchStr).get(key) ?? fallback
  const set = useCallback(
    (next: string | undefined, how: { push?: boolean } = {}) => {
      const url = new URL(window.location.href)
      if (next === undefined || next === '' || next === fallback) url.searchParams.delete(key)
      else url.searchParams.set(key, next)
      const href = url.pathname + url.search
      if (how.push) router.history.push(href)
      else router.history.replace(href)
    },
    [router, key, fallback],
  )
  return [value, set]
}
