/** A conversion webhook over HTTPS, in the test's own process. */
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { loadX509 } from '../../src/machinery/x509.ts'

export type CustomObject = { readonly apiVersion: string; readonly kind: string; readonly metadata: Record<string, unknown> } & Readonly<Record<string, unknown>>

export interface ConversionWebhook {
  /** What a definition says of it. */
  readonly conversion: object
  /** How many objects each review was about. */
  readonly reviews: number[]
  /** Makes one object another version's; a throw is what the webhook complains of. */
  convert: (object: CustomObject, apiVersion: string) => CustomObject
  stop(): Promise<void>
}

/** A key and a certificate of its own for 127.0.0.1. */
export async function selfSigned(): Promise<{ readonly key: string; readonly cert: string }> {
  const x509 = await loadX509()
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01', name: 'CN=conversion', keys, signingAlgorithm: algorithm, notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000),
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]), new x509.BasicConstraintsExtension(true)],
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return { key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----`, cert: certificate.toString('pem') }
}

export async function startConversionWebhook(convert: ConversionWebhook['convert']): Promise<ConversionWebhook> {
  const { key, cert } = await selfSigned()
  const reviews: number[] = []
  const server = https.createServer({ key, cert }, async (incoming, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const { request } = JSON.parse(Buffer.concat(chunks).toString()) as { request: { uid: string; desiredAPIVersion: string; objects: CustomObject[] } }
    reviews.push(request.objects.length)
    const answer = () => {
      try {
        return { convertedObjects: request.objects.map((object) => webhook.convert(object, request.desiredAPIVersion)), result: { status: 'Success' } }
      } catch (error) {
        return { convertedObjects: [], result: { status: 'Failed', message: (error as Error).message } }
      }
    }
    response.end(JSON.stringify({ kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', response: { uid: request.uid, ...answer() } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/convert`
  const webhook: ConversionWebhook = {
    conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { url, caBundle: Buffer.from(cert).toString('base64') } } },
    reviews,
    convert,
    async stop() {
      server.close()
      server.closeAllConnections()
    },
  }
  return webhook
}
