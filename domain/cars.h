/* cars - body, fuel, gearbox, service and status of cars: the codes of the tables and the API, and their words. */
#ifndef MP_CARS_H
#define MP_CARS_H

#include "lib/base/shape.h"

enum body { BODY_MINI, BODY_HATCH, BODY_SEDAN, BODY_WAGON, BODY_SUV, BODY_VAN, BODY_PICKUP, BODY_EV };
enum fuel { FUEL_PETROL, FUEL_DIESEL, FUEL_HYBRID, FUEL_LPG, FUEL_ELECTRIC };
enum gearbox { GEARBOX_AUTOMATIC, GEARBOX_MANUAL };
enum service { SERVICE_IN_SERVICE, SERVICE_OUT_OF_SERVICE, SERVICE_RETIRED };
/* Shown to people: the service, and for IN_SERVICE whether it is rented now. */
enum car_status { CAR_AVAILABLE, CAR_RENTED, CAR_OUT_OF_SERVICE, CAR_RETIRED };

extern const struct words body_words, fuel_words, gearbox_words, service_words, car_status_words;

#endif
