import type { Credential } from '../../common/identity/held-identity.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import { EnrollmentServiceService, type IssuedCertificate } from '../../proto/gen/drystone/metadata/v1/enrollment.js';
import { callingHolder } from '../requests/callers.js';
import { checkDisplayText } from '../requests/texts.js';
import type { Enrollment } from '../trust/enrollment.js';

/** EnrollmentService (proto/drystone/metadata/v1/enrollment.proto). */
export function enrollmentRoutes(enrollment: Enrollment): ServedService {
  return serve(
    EnrollmentServiceService,
    {
      async enroll({ token, certificateRequest, displayName }) {
        const name = checkDisplayText('display_name', displayName);
        const credential = await enrollment.enroll({ token, certificateRequest, displayName: name });
        return { certificate: certificateToWire(credential) };
      },
      async renewCertificate({ certificateRequest }, context) {
        const credential = await enrollment.renew(callingHolder(context), certificateRequest);
        return { certificate: certificateToWire(credential) };
      },
    },
    { audience: { enroll: 'anyone', renewCertificate: 'agent or device' } },
  );
}

function certificateToWire({ certificateChain, trustedCertificates, expiresAtMs }: Credential): IssuedCertificate {
  return { certificateChain, trustedCertificates, expiresAtMs: BigInt(expiresAtMs) };
}
