import { type RefObject, useEffect, useRef, useState } from 'react'

/** Width of an element in whole pixels, as it is and becomes; a guess before it is on the page. */
export function useWidth<E extends HTMLElement>(guess = 600): [ref: RefObject<E | null>, width: number] {
  const ref = useRef<E>(null)
  const [width, setWidth] = useState(guess)
  useEffect(() => {
    const element = ref.current
    if (!element) return
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(120, Math.floor(entry!.contentRect.width))))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return [ref, width]
}
