/** The one guarded client for every call that leaves. Public addresses by default; private and loopback ones by an admin's list; link-local and cloud metadata never. */
export interface OutboundRequest {
  url: string
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  headers?: Record<string, string>
  body?: string | Uint8Array
  timeout_ms?: number
  /** Largest answer that is read. Default 1 MiB. */
  answer_bytes_max?: number
  signal?: AbortSignal
}

export interface OutboundAnswer {
  status: number
  headers: Record<string, string>
  body: Uint8Array
}

export interface Outbound {
  /**
   * Resolves the host once, checks every address, connects to the checked address (so that a second look-up cannot differ), follows no redirect.
   * Throws forbidden for a refused address (naming the setting `outbound.allow`), unavailable for a failed connection or a time-out.
   */
  send(request: OutboundRequest): Promise<OutboundAnswer>
  /** The check alone, for settings that are saved now and used later. */
  check(url: string): Promise<void>
}

export { createOutbound, type OutboundOptions } from './outbound.ts'
