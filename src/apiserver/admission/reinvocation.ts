/**
 * The second run of the mutating plugins: when a policy or a webhook changed the object, everything that came before it sees the change once
 * (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#reinvocation-policy).
 */
import type { ApiObject } from '../../client/client.ts'
import { deepEqual } from '../../machinery/meta.ts'
import type { AdmissionAttributes } from './admission.ts'

/** What is known of both runs; made by the chain for each request. */
export interface Reinvocation {
  /** This is the second run. */
  readonly second: boolean
  /** Asks for it. */
  again(): void
  readonly memory: Map<string, Invoked>
}

interface Invoked {
  /** Those that want to be asked again, and have not been since something changed. */
  readonly willing: Set<string>
  /** Those that are to be asked again. */
  readonly due: Set<string>
  output: ApiObject | undefined
}

/** How a plugin keeps track of its policies or webhooks through both runs. */
export interface Tracker {
  /** Whether this one is asked in this run. */
  asks(key: string): boolean
  /** One was asked: whether it changed the object, and whether it wants to see what others change after it. */
  asked(key: string, changed: boolean, willing: boolean): void
  /** The object that the plugin is done with. */
  end(object: ApiObject | undefined): void
}

/** `object` is what the plugin begins with. */
export function trackInvocations(plugin: string, { reinvocation }: AdmissionAttributes, object: ApiObject | undefined): Tracker {
  if (!reinvocation) return { asks: () => true, asked: () => undefined, end: () => undefined }
  const known: Invoked = reinvocation.memory.get(plugin) ?? { willing: new Set(), due: new Set(), output: undefined }
  reinvocation.memory.set(plugin, known)
  const callAgain = () => {
    for (const key of known.willing) known.due.add(key)
    known.willing.clear()
  }
  // Others have changed the object since: then everybody who wants to sees it.
  if (reinvocation.second && !deepEqual(object, known.output)) callAgain()
  return {
    asks: (key) => !reinvocation.second || known.due.has(key),
    asked(key, changed, willing) {
      if (changed) {
        callAgain()
        reinvocation.again()
      }
      if (willing) known.willing.add(key)
    },
    end: (output) => { known.output = output },
  }
}

/** What the chain makes for each request; `wanted` says whether there is a second run. */
export function createReinvocation(): { readonly first: Reinvocation; readonly second: Reinvocation; wanted(): boolean } {
  const memory = new Map<string, Invoked>()
  let wanted = false
  const again = () => { wanted = true }
  return { first: { second: false, again, memory }, second: { second: true, again, memory }, wanted: () => wanted }
}
