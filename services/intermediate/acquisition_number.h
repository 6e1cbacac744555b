/* 取得番号: names a person once, on the way of the code from the residence network to us (番号法21条の2). */
#ifndef INTERMEDIATE_ACQUISITION_NUMBER_H
#define INTERMEDIATE_ACQUISITION_NUMBER_H

#define ACQUISITION_NUMBER_SIZE 27

/* Random: a letter Q and 25 of A-Z 2-7 (125 bits). Neither 個人番号 nor 住民票コード can look so: both are digits only.
 * Aborts if the random source fails. */
void acquisition_number_make(char number[ACQUISITION_NUMBER_SIZE]);

#endif
