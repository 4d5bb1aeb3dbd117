import { kernelLimits } from './process.ts'

export interface Protection {
  name: string
  enforced: boolean
  /** One sentence for people. */
  words: string
}

/** Which limits on users' code hold on this machine; for `slipway doctor` and the pages that show it. */
export async function protections(): Promise<Protection[]> {
  const kernel = (await kernelLimits()) !== undefined
  return [
    {
      name: 'memory limit',
      enforced: true,
      words: kernel
        ? 'kept by the kernel (cgroup v2)'
        : 'kept by looking at resident memory several times a second: a fast allocation can pass it for a moment',
    },
    {
      name: 'processor limit',
      enforced: kernel,
      words: kernel
        ? 'kept by the kernel (cgroup v2)'
        : 'only asked of numerical libraries by their thread settings: cgroup v2 is not delegated to this process',
    },
    { name: 'time limit', enforced: true, words: 'the whole process group is ended' },
    {
      name: 'orphans',
      enforced: kernel,
      words: kernel
        ? 'nothing outlives its step or this server'
        : 'a process group ends with its step and with this server, however that ends; a process that left its group (setsid) is ended with its step when it was seen by then, but survives a server that is killed with -9: cgroup v2 is not delegated to this process',
    },
    { name: 'secrets', enforced: true, words: "users' code gets a clean environment, never this server's variables" },
    {
      name: 'files',
      enforced: false,
      words: "users' code runs as the user of this server and can read what that user can read",
    },
    { name: 'network', enforced: false, words: "users' code can reach what this machine can reach" },
  ]
}
