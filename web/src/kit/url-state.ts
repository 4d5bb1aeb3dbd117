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
      // Of the router, not of the window: that one lags behind when two fields are set in one go.
      const { pathname, search } = router.history.location
      const fields = new URLSearchParams(search)
      if (next === undefined || next === '' || next === fallback) fields.delete(key)
      else fields.set(key, next)
      const href = fields.size > 0 ? `${pathname}?${fields}` : pathname
      if (how.push) router.history.push(href)
      else router.history.replace(href)
    },
    [router, key, fallback],
  )
  return [value, set]
}
