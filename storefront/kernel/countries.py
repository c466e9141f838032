"""Country packs: what a shop takes from its country on the day it opens.

Currency and its exponent follow ISO 4217, regions the first-level divisions of ISO 3166-2 (codes without the country),
general sales-tax rates those in force in 2026 (a shop may change its own). Postcodes are asked for only where people
use them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """One country's presets. `tax_rate_bp` is in basis points; `regions` maps code to name."""

    code: str
    name: str
    currency: str
    timezone: str
    locale: str
    tax_name: str
    tax_rate_bp: int
    phone_prefix: str
    phone_example: str
    region_label: str
    locality_label: str
    uses_postcode: bool
    tax_document: str
    regions: Mapping[str, str]


def _regions(text: str) -> dict[str, str]:
    """ "OAX Oaxaca, PUE Puebla" as a mapping."""
    return dict(item.strip().split(" ", 1) for item in text.split(","))


_MX = _regions(
    "AGU Aguascalientes, BCN Baja California, BCS Baja California Sur, CAM Campeche, CHP Chiapas, CHH Chihuahua, "
    "CMX Ciudad de México, COA Coahuila, COL Colima, DUR Durango, GUA Guanajuato, GRO Guerrero, HID Hidalgo, "
    "JAL Jalisco, MEX Estado de México, MIC Michoacán, MOR Morelos, NAY Nayarit, NLE Nuevo León, OAX Oaxaca, "
    "PUE Puebla, QUE Querétaro, ROO Quintana Roo, SLP San Luis Potosí, SIN Sinaloa, SON Sonora, TAB Tabasco, "
    "TAM Tamaulipas, TLA Tlaxcala, VER Veracruz, YUC Yucatán, ZAC Zacatecas"
)
_GT = _regions(
    "01 Guatemala, 02 El Progreso, 03 Sacatepéquez, 04 Chimaltenango, 05 Escuintla, 06 Santa Rosa, 07 Sololá, "
    "08 Totonicapán, 09 Quetzaltenango, 10 Suchitepéquez, 11 Retalhuleu, 12 San Marcos, 13 Huehuetenango, 14 Quiché, "
    "15 Baja Verapaz, 16 Alta Verapaz, 17 Petén, 18 Izabal, 19 Zacapa, 20 Chiquimula, 21 Jalapa, 22 Jutiapa"
)
_SV = _regions(
    "AH Ahuachapán, CA Cabañas, CH Chalatenango, CU Cuscatlán, LI La Libertad, PA La Paz, UN La Unión, MO Morazán, "
    "SM San Miguel, SS San Salvador, SV San Vicente, SA Santa Ana, SO Sonsonate, US Usulután"
)
_HN = _regions(
    "AT Atlántida, CH Choluteca, CL Colón, CM Comayagua, CP Copán, CR Cortés, EP El Paraíso, FM Francisco Morazán, "
    "GD Gracias a Dios, IN Intibucá, IB Islas de la Bahía, LP La Paz, LE Lempira, OC Ocotepeque, OL Olancho, "
    "SB Santa Bárbara, VA Valle, YO Yoro"
)
_CR = _regions("SJ San José, A Alajuela, C Cartago, H Heredia, G Guanacaste, P Puntarenas, L Limón")
_DO = _regions(
    "01 Distrito Nacional, 02 Azua, 03 Baoruco, 04 Barahona, 05 Dajabón, 06 Duarte, 07 Elías Piña, 08 El Seibo, "
    "09 Espaillat, 10 Independencia, 11 La Altagracia, 12 La Romana, 13 La Vega, 14 María Trinidad Sánchez, "
    "15 Monte Cristi, 16 Pedernales, 17 Peravia, 18 Puerto Plata, 19 Hermanas Mirabal, 20 Samaná, 21 San Cristóbal, "
    "22 San Juan, 23 San Pedro de Macorís, 24 Sánchez Ramírez, 25 Santiago, 26 Santiago Rodríguez, 27 Valverde, "
    "28 Monseñor Nouel, 29 Monte Plata, 30 Hato Mayor, 31 San José de Ocoa, 32 Santo Domingo"
)
_CO = _regions(
    "AMA Amazonas, ANT Antioquia, ARA Arauca, ATL Atlántico, DC Bogotá, BOL Bolívar, BOY Boyacá, CAL Caldas, "
    "CAQ Caquetá, CAS Casanare, CAU Cauca, CES Cesar, CHO Chocó, COR Córdoba, CUN Cundinamarca, GUA Guainía, "
    "GUV Guaviare, HUI Huila, LAG La Guajira, MAG Magdalena, MET Meta, NAR Nariño, NSA Norte de Santander, "
    "PUT Putumayo, QUI Quindío, RIS Risaralda, SAP San Andrés y Providencia, SAN Santander, SUC Sucre, TOL Tolima, "
    "VAC Valle del Cauca, VAU Vaupés, VID Vichada"
)
_EC = _regions(
    "A Azuay, B Bolívar, F Cañar, C Carchi, H Chimborazo, X Cotopaxi, O El Oro, E Esmeraldas, W Galápagos, G Guayas, "
    "I Imbabura, L Loja, R Los Ríos, M Manabí, S Morona Santiago, N Napo, D Orellana, Y Pastaza, P Pichincha, "
    "SE Santa Elena, SD Santo Domingo de los Tsáchilas, U Sucumbíos, T Tungurahua, Z Zamora Chinchipe"
)
_PE = _regions(
    "AMA Amazonas, ANC Áncash, APU Apurímac, ARE Arequipa, AYA Ayacucho, CAJ Cajamarca, CAL Callao, CUS Cusco, "
    "HUV Huancavelica, HUC Huánuco, ICA Ica, JUN Junín, LAL La Libertad, LAM Lambayeque, LIM Lima, LOR Loreto, "
    "MDD Madre de Dios, MOQ Moquegua, PAS Pasco, PIU Piura, PUN Puno, SAM San Martín, TAC Tacna, TUM Tumbes, "
    "UCA Ucayali"
)
_BO = _regions("H Chuquisaca, C Cochabamba, B Beni, L La Paz, O Oruro, N Pando, P Potosí, S Santa Cruz, T Tarija")
_CL = _regions(
    "AP Arica y Parinacota, TA Tarapacá, AN Antofagasta, AT Atacama, CO Coquimbo, VS Valparaíso, "
    "RM Región Metropolitana, LI O'Higgins, ML Maule, NB Ñuble, BI Biobío, AR La Araucanía, LR Los Ríos, "
    "LL Los Lagos, AI Aysén, MA Magallanes"
)
_AR = _regions(
    "C Ciudad de Buenos Aires, B Buenos Aires, K Catamarca, H Chaco, U Chubut, X Córdoba, W Corrientes, E Entre Ríos, "
    "P Formosa, Y Jujuy, L La Pampa, F La Rioja, M Mendoza, N Misiones, Q Neuquén, R Río Negro, A Salta, J San Juan, "
    "D San Luis, Z Santa Cruz, S Santa Fe, G Santiago del Estero, V Tierra del Fuego, T Tucumán"
)
_UY = _regions(
    "AR Artigas, CA Canelones, CL Cerro Largo, CO Colonia, DU Durazno, FS Flores, FD Florida, LA Lavalleja, "
    "MA Maldonado, MO Montevideo, PA Paysandú, RN Río Negro, RV Rivera, RO Rocha, SA Salto, SJ San José, SO Soriano, "
    "TA Tacuarembó, TT Treinta y Tres"
)
_PY = _regions(
    "ASU Asunción, 16 Alto Paraguay, 10 Alto Paraná, 13 Amambay, 19 Boquerón, 5 Caaguazú, 6 Caazapá, 14 Canindeyú, "
    "11 Central, 1 Concepción, 3 Cordillera, 4 Guairá, 7 Itapúa, 8 Misiones, 12 Ñeembucú, 9 Paraguarí, "
    "15 Presidente Hayes, 2 San Pedro"
)
_BR = _regions(
    "AC Acre, AL Alagoas, AP Amapá, AM Amazonas, BA Bahia, CE Ceará, DF Distrito Federal, ES Espírito Santo, "
    "GO Goiás, MA Maranhão, MT Mato Grosso, MS Mato Grosso do Sul, MG Minas Gerais, PA Pará, PB Paraíba, PR Paraná, "
    "PE Pernambuco, PI Piauí, RJ Rio de Janeiro, RN Rio Grande do Norte, RS Rio Grande do Sul, RO Rondônia, "
    "RR Roraima, SC Santa Catarina, SP São Paulo, SE Sergipe, TO Tocantins"
)
_JM = _regions(
    "01 Kingston, 02 Saint Andrew, 03 Saint Thomas, 04 Portland, 05 Saint Mary, 06 Saint Ann, 07 Trelawny, "
    "08 Saint James, 09 Hanover, 10 Westmoreland, 11 Saint Elizabeth, 12 Manchester, 13 Clarendon, 14 Saint Catherine"
)

_ALL = (
    Country("MX", "México", "MXN", "America/Mexico_City", "es_MX", "IVA", 1600, "+52", "55 1234 5678",
            "Estado", "Municipio o alcaldía", True, "RFC", _MX),
    Country("GT", "Guatemala", "GTQ", "America/Guatemala", "es_GT", "IVA", 1200, "+502", "5123 4567",
            "Departamento", "Municipio", False, "NIT", _GT),
    Country("SV", "El Salvador", "USD", "America/El_Salvador", "es_SV", "IVA", 1300, "+503", "7012 3456",
            "Departamento", "Municipio", False, "NIT", _SV),
    Country("HN", "Honduras", "HNL", "America/Tegucigalpa", "es_HN", "ISV", 1500, "+504", "9123 4567",
            "Departamento", "Municipio", False, "RTN", _HN),
    Country("CR", "Costa Rica", "CRC", "America/Costa_Rica", "es_CR", "IVA", 1300, "+506", "8312 3456",
            "Provincia", "Cantón y distrito", False, "Cédula jurídica", _CR),
    Country("DO", "República Dominicana", "DOP", "America/Santo_Domingo", "es_DO", "ITBIS", 1800, "+1", "809 234 5678",
            "Provincia", "Municipio o sector", False, "RNC", _DO),
    Country("CO", "Colombia", "COP", "America/Bogota", "es_CO", "IVA", 1900, "+57", "321 123 4567",
            "Departamento", "Municipio", False, "NIT", _CO),
    Country("EC", "Ecuador", "USD", "America/Guayaquil", "es_EC", "IVA", 1500, "+593", "99 123 4567",
            "Provincia", "Cantón", False, "RUC", _EC),
    Country("PE", "Perú", "PEN", "America/Lima", "es_PE", "IGV", 1800, "+51", "912 345 678",
            "Departamento", "Distrito", False, "RUC", _PE),
    Country("BO", "Bolivia", "BOB", "America/La_Paz", "es_BO", "IVA", 1300, "+591", "71234567",
            "Departamento", "Ciudad y zona", False, "NIT", _BO),
    Country("CL", "Chile", "CLP", "America/Santiago", "es_CL", "IVA", 1900, "+56", "9 6123 4567",
            "Región", "Comuna", False, "RUT", _CL),
    Country("AR", "Argentina", "ARS", "America/Argentina/Buenos_Aires", "es_AR", "IVA", 2100, "+54", "11 2345 6789",
            "Provincia", "Localidad", True, "CUIT", _AR),
    Country("UY", "Uruguay", "UYU", "America/Montevideo", "es_UY", "IVA", 2200, "+598", "94 231 234",
            "Departamento", "Localidad", False, "RUT", _UY),
    Country("PY", "Paraguay", "PYG", "America/Asuncion", "es_PY", "IVA", 1000, "+595", "961 456 789",
            "Departamento", "Ciudad", False, "RUC", _PY),
    Country("BR", "Brasil", "BRL", "America/Sao_Paulo", "pt_BR", "ICMS", 1800, "+55", "11 96123 4567",
            "Estado", "Cidade", True, "CNPJ", _BR),
    Country("JM", "Jamaica", "JMD", "America/Jamaica", "en_JM", "GCT", 1500, "+1", "876 210 1234",
            "Parish", "Town or district", False, "TRN", _JM),
)  # fmt: skip

COUNTRIES: Mapping[str, Country] = {country.code: country for country in _ALL}
"""Every country a shop can open in, by ISO 3166-1 code."""
