export interface TrafficRoute {
  revision: string
  share: number
  role: 'stable' | 'canary'
}

/**
 * Which route a request takes. The same key takes the same route while shares stand, and a growing canary keeps those it has:
 * canaries come first on the line from 0 to 1. Without a key it is by chance.
 */
export function routeOf(
  routes: readonly TrafficRoute[],
  endpoint: string,
  key: string | undefined,
  chance: () => number,
): TrafficRoute | undefined {
  if (routes.length <= 1) return routes[0]
  const point = key === undefined ? chance() : pointOf(`${endpoint}\u0000${key}`)
  let edge = 0
  for (const role of ['canary', 'stable'] as const) {
    for (const route of routes) {
      if (route.role !== role || route.share <= 0) continue
      edge += route.share
      if (point < edge) return route
    }
  }
  return routes.find((route) => route.role === 'stable') ?? routes[0]
}

/** FNV-1a over the text, then MurmurHash3's finaliser so that near keys land far apart; in [0, 1). */
export function pointOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296
}
