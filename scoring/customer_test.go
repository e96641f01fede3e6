package scoring_test

import "ebb/scoring"

// Profiles without features, as most tests have them.

func appendProfile(dst []byte, p *scoring.Profile) []byte {
	return scoring.AppendProfile(dst, &scoring.Customer{Profile: p})
}

func appendProfileAs(version int, dst []byte, p *scoring.Profile) []byte {
	return scoring.AppendProfileAs(version, dst, &scoring.Customer{Profile: p})
}

func readProfile(b []byte, p *scoring.Profile) error {
	c := scoring.Customer{Profile: p}
	err := scoring.ReadProfile(b, &c)
	if err == nil && len(c.Features) > 0 {
		return scoring.ErrProfileDamaged
	}
	return err
}
