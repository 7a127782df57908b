/** The part of common/limits.ts, through which it is imported, that is about who may join and what a caller may ask for. */

const KiB = 1024;

/** Who may join, and for how long each thing that proves it counts. */
export const trustLimits = {
  /** A one-time token, as text. */
  enrollmentTokenLength: 256,
  /** How long a one-time token can be redeemed, unless asked for, and at the most. */
  enrollmentTokenMs: 60 * 60 * 1000,
  enrollmentTokenMaxMs: 7 * 24 * 60 * 60 * 1000,
  /** One-time tokens that wait to be redeemed, and of these, those for devices of one account; more are refused. */
  enrollmentTokens: 10_000,
  enrollmentTokensPerAccount: 64,
  /** A certificate request, in DER; a chain of certificates, in PEM. */
  certificateRequestBytes: 4096,
  certificateChainBytes: 32 * KiB,
  /** How long the CA's own certificate counts, and those that it issues. */
  caCertificateMs: 20 * 365 * 24 * 60 * 60 * 1000,
  certificateMs: 30 * 24 * 60 * 60 * 1000,
  /** A certificate counts from this long before it is issued: clocks differ. */
  certificateBackdateMs: 5 * 60 * 1000,
  /** A certificate is renewed when this share of its time has passed, and after a failure again this much later. */
  renewAfterShare: 2 / 3,
  renewRetryMs: 60 * 1000,
  /** How often the time is compared with when a certificate is to be renewed, or a key to be replaced. */
  renewCheckMs: 60 * 60 * 1000,
  /** How long an access token counts: what a revocation takes to be in force everywhere. */
  accessTokenMs: 15 * 60 * 1000,
  /** A client takes a new access token for a stream where the one it has would end within this time. */
  accessTokenReserveMs: 12 * 60 * 1000,
  /**
   * A client ends a stream of blocks after this time and opens the next: so much less than the reserve that what is under
   * way then arrives in time over a slow line, and none is cut off.
   */
  blockStreamMs: 5 * 60 * 1000,
  /** How far a verifier's clock may be from metadata's. */
  accessTokenSkewMs: 60 * 1000,
  /**
   * For how long after metadata's last word one who is cut off from it takes access tokens that had not ended then, and how
   * often a stream that goes on by that is looked at.
   */
  offlineGraceMs: 24 * 60 * 60 * 1000,
  offlineCheckMs: 5_000,
  /** Namespaces that one access token opens, and its length as text. */
  namespacesPerAccessToken: 16,
  accessTokenLength: 4096,
  /** A key that signs access tokens serves this long; the next is told to agents this long before it is used. */
  tokenKeyMs: 24 * 60 * 60 * 1000,
  tokenKeyNoticeMs: 60 * 60 * 1000,
  /** Keys that an agent takes from one heartbeat. */
  tokenKeys: 16,
  /** Entries of the audit log looked at for one page with a filter. */
  auditEntriesScanned: 16_384,
} as const;

/** What one peer may ask of a server; beyond it calls are refused with a delay. */
export const loadLimits = {
  /** Connections to one server, and of one address without a certificate. */
  connections: 20_000,
  connectionsPerIdentity: 64,
  anonymousConnectionsPerAddress: 256,
  /** A request of one without a certificate. */
  anonymousRequestBytes: 16 * KiB,
  /** How long a TLS handshake may take, and a connection without a certificate may last. */
  handshakeMs: 10_000,
  anonymousConnectionMs: 30_000,
  /** Calls of one identity, or of one address without a certificate: a bucket that refills, and its size. */
  callsPerSecond: 200,
  callBurst: 2_000,
  anonymousCallsPerSecond: 5,
  anonymousCallBurst: 50,
  /** Calls that one identity has open at once. */
  openCallsPerIdentity: 1_024,
  openCallsRetryMs: 1_000,
  /** Identities and addresses whose rates are remembered. */
  ratesRemembered: 20_000,
} as const;
