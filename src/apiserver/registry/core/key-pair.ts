/** Whether a certificate and a private key belong together, as a server that is to use them would find. */
import { X509Certificate, createPrivateKey, type KeyObject } from 'node:crypto'

interface Block { readonly type: string; readonly pem: string }

/** The blocks of a PEM text. Each is looked for once, as the text is anybody's: many beginnings without an end must not cost more than their length. */
function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = []
  let start = -1
  let type: string | undefined
  for (const { 0: mark, 1: what, 2: named, index } of text.matchAll(/-----(BEGIN|END) ([^\n]{1,64}?)-----/g)) {
    if (what === 'BEGIN') [start, type] = [index, named]
    else if (named === type && type !== undefined) {
      blocks.push({ type, pem: text.slice(start, index + mark.length) })
      type = undefined
    }
  }
  return blocks
}

const isKey = ({ type }: Block): boolean => type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY')
const typesOf = (blocks: readonly Block[]): string => `[${blocks.map(({ type }) => type).join(' ')}]`

/** The PEM of the first certificate, or why there is none. */
function certificateIn(text: string): { readonly pem: string } | { readonly problem: string } {
  const blocks = blocksOf(text)
  const found = blocks.find(({ type }) => type === 'CERTIFICATE')
  if (found) return found
  if (blocks.length === 0) return { problem: 'tls: failed to find any PEM data in certificate input' }
  return { problem: blocks.length === 1 && isKey(blocks[0]!)
    ? 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched'
    : `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${typesOf(blocks)}` }
}

/** The PEM of the first private key, or why there is none. */
function keyIn(text: string): { readonly pem: string } | { readonly problem: string } {
  const blocks = blocksOf(text)
  const found = blocks.find(isKey)
  if (found) return found
  if (blocks.length === 0) return { problem: 'tls: failed to find any PEM data in key input' }
  return { problem: blocks.length === 1 && blocks[0]!.type === 'CERTIFICATE'
    ? 'tls: found a certificate rather than a key in the PEM for the private key'
    : `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${typesOf(blocks)}` }
}

function read<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined // what it is not, the caller says
  }
}

/** What is wrong with the pair, in the words of Go's TLS; undefined when nothing is. The words show nothing of the key. */
export function keyPairProblem(certificateText: string, keyText: string): string | undefined {
  const certificate = certificateIn(certificateText)
  if ('problem' in certificate) return certificate.problem
  const key = keyIn(keyText)
  if ('problem' in key) return key.problem
  const parsed = read(() => new X509Certificate(certificate.pem))
  if (!parsed) return 'x509: malformed certificate'
  const publicKey: KeyObject | undefined = read(() => parsed.publicKey)
  if (!publicKey || !['rsa', 'ec', 'ed25519'].includes(publicKey.asymmetricKeyType ?? '')) return 'tls: unknown public key algorithm'
  const privateKey = read(() => createPrivateKey(key.pem))
  if (!privateKey) return 'tls: failed to parse private key'
  if (privateKey.asymmetricKeyType !== publicKey.asymmetricKeyType) return 'tls: private key type does not match public key type'
  return parsed.checkPrivateKey(privateKey) ? undefined : 'tls: private key does not match public key'
}
