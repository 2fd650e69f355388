/** What this server shows to webhooks that want to know who asks: `WebhookAdmissionConfiguration` names a kubeconfig whose users are called as the webhooks are. */
import { root, string, zero } from '../../../api/schema.ts'
import { parseConfiguration } from '../../../machinery/configuration.ts'

const Configuration = root('WebhookAdmission', { kubeConfigFile: zero(0, string) })

/** A client certificate, or a token. */
export interface WebhookCredential {
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly token?: string | undefined
}

/** By the host and port that a webhook is called by: for a service `name.namespace.svc`. Undefined: nothing is shown. */
export type CredentialFor = (host: string, port: number) => WebhookCredential | undefined

/** The file that is named; undefined when none is. Throws an `Error` of one line that names what is wrong. */
export function parseWebhookAdmission(text: string): string | undefined {
  const older = /"?apiVersion"?\s*:\s*"?apiserver\.config\.k8s\.io\/v1alpha1/.test(text)
  const { value } = parseConfiguration(text, Configuration, { apiVersion: older ? 'apiserver.config.k8s.io/v1alpha1' : 'apiserver.config.k8s.io/v1', kind: older ? 'WebhookAdmission' : 'WebhookAdmissionConfiguration' })
  return value.kubeConfigFile || undefined
}

/**
 * The user of the webhook's own name (with its port, unless that is 443), or of the nearest `*.domain` above it, or `*`; else `otherwise`, who the
 * kubeconfig's current context names.
 */
export function credentialsOf(users: ReadonlyMap<string, WebhookCredential>, otherwise?: WebhookCredential): CredentialFor {
  return (host, port) => {
    const names = port === 443 ? [host, `${host}:443`] : [`${host}:${port}`]
    for (const name of names) if (users.has(name)) return users.get(name)
    for (const name of names) {
      const parts = name.split('.')
      for (let i = 1; i < parts.length; i++) {
        const above = `*.${parts.slice(i).join('.')}`
        if (users.has(above)) return users.get(above)
      }
    }
    return users.get('*') ?? otherwise
  }
}
