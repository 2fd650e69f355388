/** Who a request without credentials is: `system:anonymous`, everywhere, on some paths, or nobody. */
import { anonymous } from '../identity.ts'
import type { Anonymous, RawRequest } from './authenticator.ts'

export interface AnonymousOptions {
  readonly enabled: boolean
  /** The only paths on which requests may be anonymous; every path when left out or empty. */
  readonly paths?: readonly string[] | undefined
}

/** What `createAuthenticator` takes. Undefined: anonymous everywhere, as in Kubernetes; what that may do is for the authorizer to say. */
export function anonymousAs(current: () => AnonymousOptions | undefined): Anonymous {
  return (request) => {
    const options = current()
    if (!options) return anonymous
    return options.enabled && (!options.paths?.length || options.paths.includes(pathOf(request))) ? anonymous : undefined
  }
}

function pathOf({ url = '/' }: RawRequest): string {
  const mark = url.indexOf('?')
  return mark < 0 ? url : url.slice(0, mark)
}
