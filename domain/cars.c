/* cars - the words of cars.h. */
#include "cars.h"

#include "lib/base/lang.h"

static const struct word body[] = {
	[BODY_MINI]   = { "mini",   N_("Mini") },
	[BODY_HATCH]  = { "hatch",  N_("Hatchback") },
	[BODY_SEDAN]  = { "sedan",  N_("Sedan") },
	[BODY_WAGON]  = { "wagon",  N_("Wagon") },
	[BODY_SUV]    = { "suv",    N_("SUV") },
	[BODY_VAN]    = { "van",    N_("Van") },
	[BODY_PICKUP] = { "pickup", N_("Pickup") },
	[BODY_EV]     = { "ev",     N_("Electric car") },
};
const struct words body_words = WORDS(body);

static const struct word fuel[] = {
	[FUEL_PETROL]   = { "petrol",   N_("Petrol") },
	[FUEL_DIESEL]   = { "diesel",   N_("Diesel") },
	[FUEL_HYBRID]   = { "hybrid",   N_("Hybrid") },
	[FUEL_LPG]      = { "lpg",      N_("LPG") },
	[FUEL_ELECTRIC] = { "electric", N_("Electric") },
};
const struct words fuel_words = WORDS(fuel);

static const struct word gearbox[] = {
	[GEARBOX_AUTOMATIC] = { "automatic", N_("Automatic") },
	[GEARBOX_MANUAL]    = { "manual",    N_("Manual") },
};
const struct words gearbox_words = WORDS(gearbox);

static const struct word service[] = {
	[SERVICE_IN_SERVICE]     = { "IN_SERVICE",     N_("In service") },
	[SERVICE_OUT_OF_SERVICE] = { "OUT_OF_SERVICE", N_("Out of service") },
	[SERVICE_RETIRED]        = { "RETIRED",        N_("Retired") },
};
const struct words service_words = WORDS(service);

static const struct word car_status[] = {
	[CAR_AVAILABLE]      = { "AVAILABLE",      N_("Available") },
	[CAR_RENTED]         = { "RENTED",         N_("Rented") },
	[CAR_OUT_OF_SERVICE] = { "OUT_OF_SERVICE", N_("Out of service") },
	[CAR_RETIRED]        = { "RETIRED",        N_("Retired") },
};
const struct words car_status_words = WORDS(car_status);
