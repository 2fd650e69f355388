/** Who a request without credentials is: `system:anonymous`, everywhere, on some paths, or nobody. */
import { anonymous, type Identity } from '../identity.ts'
import type { Anonymous, RawRequest } from './authenticator.ts'

/** The same as `anonymous`, for servers that were told to take it: refusals are then 403 and name it, as Kubernetes has it. */
const named: Identity = { ...anonymous }

export interface AnonymousOptions {
  readonly enabled: boolean
  /** The only paths on which requests may be anonymous; every path when left out or empty. */
  readonly paths?: readonly string[] | undefined
}

/** What `createAuthenticator` takes. Undefined: anonymous requests are told 401 wherever they may not go. */
export function anonymousAs(current: () => AnonymousOptions | undefined): Anonymous {
  return (request) => {
    const options = current()
    if (!options) return anonymous
    if (!options.enabled) return undefined
    return !options.paths?.length || options.paths.includes(pathOf(request)) ? named : undefined
  }
}

function pathOf({ url = '/' }: RawRequest): string {
  const mark = url.indexOf('?')
  return mark < 0 ? url : url.slice(0, mark)
}
